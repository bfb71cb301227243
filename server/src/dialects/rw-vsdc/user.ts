import { cut } from '../../dialect-kit/envelope.ts';

/** Who registers and who changes: the same person, cut to the fields of the device. */
export const userOf = (user: { id: string; name: string }) => ({
  regrId: cut(user.id, 20),
  regrNm: cut(user.name, 60),
  modrId: cut(user.id, 20),
  modrNm: cut(user.name, 60),
});
