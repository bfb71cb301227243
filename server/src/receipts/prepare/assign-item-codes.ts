import { ensureItem } from '../../catalogue/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import type { SigningInput } from '../sale/signing-input.model.ts';

/** Gives every line the code its item has, making codes for items met the first time. */
export async function withItemCodes(
  tx: Tx,
  businessId: string,
  filed: SigningInput,
  ports: { dialects: Dialects; newId: NewId; clock: Clock },
  dialectKey: string,
): Promise<SigningInput> {
  const dialect = ports.dialects.of(dialectKey);
  const codes = new Map<string, string>();
  for (const line of filed.sale.lines) {
    if (codes.has(line.source)) continue;
    const make = {
      id: ports.newId('item'),
      code: (sequence: number) => dialect.items.code(line.content, sequence),
    };
    codes.set(line.source, await ensureItem(tx, businessId, line, make, ports.clock.now()));
  }
  return {
    ...filed,
    sale: {
      ...filed.sale,
      lines: filed.sale.lines.map((line) => ({
        ...line,
        itemCode: codes.get(line.source) as string,
      })),
    },
  };
}
