import type { Tx } from '../platform/db/database.ts';
import { fromJson, query, queryOne, toDateOrNull } from '../platform/db/query.ts';
import type { Device } from './device.model.ts';
import { columns, toDevice } from './device.store.ts';
import type { StoredProbe } from './device-status.store.ts';

/**
 * What a branch gives out as the original of a receipt: a paper, the mail to the buyer, or the file
 * attached to the document in Zoho.
 */
export type OriginalPaper = 'a4' | 'a5' | '80mm' | '58mm' | 'mail' | 'zoho';

export type Branch = {
  id: string;
  code: string;
  name: string;
  address: string;
  originalPaper: OriginalPaper | null;
  productionSince: Date | null;
};

const branchColumns =
  'id, branch_code as code, name, address, original_paper as "originalPaper", production_since';
const toBranch = ({
  production_since: since,
  ...row
}: Omit<Branch, 'productionSince'> & { production_since: unknown }): Branch => ({
  ...row,
  productionSince: toDateOrNull(since),
});

export async function findBranch(tx: Tx, id: string): Promise<Branch | null> {
  const row = await queryOne<Parameters<typeof toBranch>[0]>(
    tx,
    `select ${branchColumns} from branch where id = $1`,
    [id],
  );
  return row && toBranch(row);
}

export const updateBranchRow = (
  tx: Tx,
  id: string,
  branch: Pick<Branch, 'name' | 'address' | 'originalPaper'>,
) =>
  query(tx, 'update branch set name = $2, address = $3, original_paper = $4 where id = $1', [
    id,
    branch.name,
    branch.address,
    branch.originalPaper,
  ]);

export type ListedDevice = Device & {
  queued: number;
  inDoubt: number;
  probe: StoredProbe | null;
  burntNumbers: string[];
};
/**
 * `device`: the one that works, or the first one while it is being set up; `next`: the one prepared
 * to follow it; `retired`: the latest first.
 */
export type BranchDevices = Branch & {
  device: ListedDevice | null;
  next: ListedDevice | null;
  retired: ListedDevice[];
};

export async function listBranches(tx: Tx): Promise<BranchDevices[]> {
  const rowsOfBranches = await query<Parameters<typeof toBranch>[0]>(
    tx,
    `select ${branchColumns} from branch order by branch_code`,
  );
  const branches = rowsOfBranches.map(toBranch);
  const rows = await query(
    tx,
    `select ${columns}, d.burnt_numbers::text[] as burnt,
        (select count(*)::int from receipt r where r.business_id = d.business_id and r.device_id = d.id and r.state = 'queued') as queued,
        (select count(*)::int from receipt r where r.business_id = d.business_id and r.device_id = d.id and r.state = 'in_doubt') as in_doubt
       from device d join branch b on b.business_id = d.business_id and b.id = d.branch_id order by d.retired_at desc nulls first, d.state = 'new'`,
  );
  const devices = rows.map((row) => ({
    ...toDevice(row),
    queued: row.queued as number,
    inDoubt: row.in_doubt as number,
    probe: fromJson<StoredProbe | null>(row.probe),
    burntNumbers: row.burnt as string[],
  }));
  return branches.map((branch) => {
    const own = devices.filter((each) => each.branchId === branch.id);
    const [device = null, next = null] = own.filter((each) => each.state !== 'retired');
    return { ...branch, device, next, retired: own.filter((each) => each.state === 'retired') };
  });
}

export async function insertBranch(
  tx: Tx,
  businessId: string,
  branch: { id: string; code: string; name: string; address: string },
  at: Date,
): Promise<void> {
  await query(
    tx,
    'insert into branch (business_id, id, branch_code, name, address, created_at) values ($1, $2, $3, $4, $5, $6)',
    [businessId, branch.id, branch.code, branch.name, branch.address, at],
  );
}
