import type { Sessions } from '../access/index.ts';

/** Renews a session, if whoever entered by Zoho is still there. */
export const renewSession =
  (sessions: Sessions, isStillThere: Parameters<Sessions['renew']>[1]) =>
  async (refreshToken: string) => {
    const renewed = await sessions.renew(refreshToken, isStillThere);
    return { ...renewed, session: await sessions.read(renewed.token) };
  };
