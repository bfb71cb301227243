import type { CheckPrinted } from '../ports/paper.ts';
import type { putMappings } from './mappings.ts';

type PutMappings = ReturnType<typeof putMappings>;

/** Keeps mappings whose names can be printed. */
export const printableMappings =
  (put: PutMappings, checkPrinted: CheckPrinted): PutMappings =>
  async (ctx, kind, mappings) => {
    await checkPrinted(
      ctx,
      mappings.map(({ value }, index) => ({
        field: `mappings.${index}.value.name`,
        text: value.name,
      })),
    );
    return put(ctx, kind, mappings);
  };
