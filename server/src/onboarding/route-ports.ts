import { businesses, type InputOf } from '@muhuri/shared/contract/index';
import type {
  Branding,
  Business,
  BusinessTotals,
  DirectoryEntry,
  OwnBranding,
  PlatformTotals,
  SettingsChange,
} from '../businesses/index.ts';
import type { Call } from '../platform/http/route.ts';
import type { Support } from './support-view.ts';
import type { ConnectionState } from '../connections/index.ts';
import type { BranchView, DeviceInput } from '../branches/index.ts';
import type { ProbeView } from '../devices/index.ts';
import type { Receipt, ReceiptView } from '../receipts/index.ts';
import type { GetStats, ReportUsage } from '../reports/index.ts';
import type { Setup } from './setup/setup.ts';

export type Ctx = Call['ctx'];
type Page = { limit: number; after: { at: string; id: string } | null };
type ReceiptPage = Page & { state?: string | undefined; search?: string | undefined };
export type Listed = DirectoryEntry & { totals: BusinessTotals | null };

/** What a business sets of itself. */
export type SettingsPorts = {
  get(ctx: Ctx): Promise<{ business: Business; organizationId: string | null }>;
  correctTaxpayer(ctx: Ctx, change: InputOf<typeof businesses.correctTaxpayer>): Promise<Business>;
  getSettings(ctx: Ctx): Promise<Business>;
  updateSettings(ctx: Ctx, change: SettingsChange, withFactor: () => void): Promise<Business>;
  /** Throws unless the second factor was given in this session a short while ago. */
  withFactor(session: Call['session']): void;
  ownBranding: OwnBranding;
  drawTraining(
    ctx: Ctx,
    branding: Partial<Branding>,
    paper: 'a4' | 'a5' | '80mm' | '58mm',
  ): Promise<Buffer>;
  listSupport(ctx: Ctx): Promise<Support[]>;
};

/** What a business sees of itself. */
export type OverviewPorts = {
  setDevice(ctx: Ctx, ask: DeviceInput): Promise<string>;
  testDevice(ctx: Ctx, branchId: string | null): Promise<ProbeView>;
  listBranches(ctx: Ctx): Promise<BranchView[]>;
  probes(ctx: Ctx): Promise<Record<string, ProbeView | null>>;
  readZohoState(ctx: Ctx): Promise<ConnectionState>;
  isPlatformClient(clientId: string): boolean;
  listHooks(ctx: Ctx): Promise<{ id: string; module: string; keyPrefix: string }[]>;
  publicUrl: string;
  listDataCentres(): string[];
  getStats: GetStats;
  listReceipts(ctx: Ctx, page: ReceiptPage): Promise<Receipt[]>;
  supportReceipts(ctx: Ctx, page: ReceiptPage): Promise<Receipt[]>;
  view(receipt: Receipt, language: string): ReceiptView;
  usage: ReportUsage;
  setup: Setup;
};

/** What the operator does with businesses. */
export type OperatorPorts = {
  register(
    call: Call,
    ask: InputOf<typeof businesses.registerBusiness>,
  ): Promise<{ business: Business; expiresAt: Date; isMailed: boolean }>;
  list(
    call: Call,
    page: Page & { search: string | null; status: string | null },
  ): Promise<Listed[]>;
  get(ctx: Ctx): Promise<{ business: Business; organizationId: string | null }>;
  update(ctx: Ctx, change: InputOf<typeof businesses.updateBusiness>): Promise<Business>;
  setStatus(
    ctx: Ctx,
    status: 'active' | 'suspended' | 'closed',
    reason: string | undefined,
  ): Promise<Business>;
  setQuotas(
    ctx: Ctx,
    quotas: { requests_per_minute: number | null; requests_per_day: number | null },
  ): Promise<void>;
  inviteAdmin(ctx: Ctx, email: string): Promise<{ email: string; expiresAt: Date }>;
  beginSupport(ctx: Ctx, ask: { reason: string; minutes: number }): Promise<Support>;
  endSupport(ctx: Ctx): Promise<Support>;
  totals(): Promise<PlatformTotals & { attemptsToday: number }>;
};
