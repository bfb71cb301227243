import type { StoredProblem } from '@muhuri/shared/problems';
import type { Recorder } from '../../audit/index.ts';
import type { RefreshLists } from '../../catalogue/index.ts';
import type { ConnectionState } from '../../connections/index.ts';
import type { Context } from '../../context.ts';
import type { TestDevice } from '../../devices/index.ts';
import type { Clock } from '../../platform/clock.ts';
import type { SeenOrganization } from '../../ports/accounts.ts';
import type { Books } from '../../ports/books.ts';
import type { PrepareSale, Receipt } from '../../receipts/index.ts';

/** A device as the authority has it already, to be adopted instead of initialised. */
export type AdoptInput = { sdc_id: string; mrc_number: string; last_invoice_number: string };
export type DeviceInput = {
  address: string;
  serial: string;
  environment: 'sandbox' | 'production';
  dialect?: string | undefined;
};

export type SetupPorts = {
  clock: Clock;
  record: Recorder;
  books: Books;
  testDevice: TestDevice;
  setDevice(ctx: Context, ask: DeviceInput & { branch_id?: string }): Promise<string>;
  initialiseDevice(ctx: Context, branchId: string): Promise<void>;
  adoptDevice(ctx: Context, branchId: string, known: AdoptInput): Promise<void>;
  readZohoState(ctx: Context, withName: boolean): Promise<ConnectionState>;
  connectByCode(
    ctx: Context,
    ask: object,
    keptGrantId: string | null,
    keep: (grantId: string) => Promise<void>,
  ): Promise<{ grantId: string; organizations: SeenOrganization[] }>;
  prepareSale: PrepareSale;
  seal(ctx: Context, documentId: string): Promise<Receipt>;
  refreshLists: RefreshLists;
  findTaxpayer(ctx: Context, taxpayerId: string): Promise<{ name: string | null }>;
  registerItemsOf(ctx: Context, documentId: string): Promise<StoredProblem | null>;
  drawTraining(ctx: Context): Promise<Buffer>;
  activate(ctx: Context): Promise<void>;
};
