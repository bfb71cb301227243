import { isDeepStrictEqual } from 'node:util';
import { businesses } from '@muhuri/shared/contract/index';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import {
  type Branding,
  type Business,
  type BusinessSettings,
  endExemptions,
  exemptNoLonger,
} from './business.model.ts';
import { getBusiness, keepExemptEnded, updateBusinessRow } from './business.store.ts';
import { checkGoLive, keepLaterGoLive } from './go-live.ts';
import type { ReadLogo } from './own-logo.ts';

type GivenBranding = Omit<Given<Branding>, 'logo'> & { logo?: string | null | undefined };
type Given<T> = { [K in keyof T]?: T[K] | undefined };
export type SettingsChange = {
  settings?: Given<BusinessSettings> | undefined;
  branding?: GivenBranding | undefined;
  go_live_date?: string | undefined;
  location?: string | undefined;
  phone_number?: string | undefined;
  version: number;
};

export const getSettings = (ctx: Context): Promise<Business> =>
  ctx.transaction((tx) => getBusiness(tx));

export type OwnBranding = (ctx: Context, given: GivenBranding) => Promise<Partial<Branding>>;

/** Returns branding as given, with a logo we have written ourselves; a stored one is kept. */
export const ownBranding =
  (ports: { readLogo: ReadLogo }): OwnBranding =>
  async (ctx, given) => {
    const { logo, ...rest } = withoutGaps(given as Given<Branding>);
    if (logo === undefined) return rest;
    const stored = logo && (await getSettings(ctx)).branding.logo;
    return {
      ...rest,
      logo:
        !logo || logo === stored
          ? stored || null
          : await ports.readLogo(ctx.businessId, logo, 'branding.logo'),
    };
  };

/**
 * Updates what a business decides about itself; what is unique among businesses is not here. What is
 * not named stays. `withFactor` throws unless the second factor was given: it is required if more
 * than appearance changes.
 */
export const updateSettings =
  (ports: {
    clock: Clock;
    record: Recorder;
    alerts: Alerts;
    ownBranding: OwnBranding;
    /**
     * Leaves to a person what came in while it was exempt. It is not signed automatically because it
     * is exempt no longer: another system may have signed it.
     */
    exemptNoLonger(tx: Tx, ended: BusinessSettings['exempt'], at: Date): Promise<unknown>;
  }) =>
  async (ctx: Context, change: SettingsChange, withFactor: () => void): Promise<Business> => {
    const branding = change.branding && (await ports.ownBranding(ctx, change.branding));
    return ctx.transaction(async (tx) => {
      const before = await getBusiness(tx, true);
      if (before.version !== change.version)
        throw new AppError('version_conflict', { field: 'version' });
      if (change.go_live_date !== undefined) await checkGoLive(tx, change.go_live_date);
      const after: Business = {
        ...before,
        settings: { ...before.settings, ...withoutGaps(change.settings) },
        branding: { ...before.branding, ...branding },
        foreignLogo: branding?.logo === undefined ? before.foreignLogo : null,
        goLiveDate: change.go_live_date ?? before.goLiveDate,
        location: change.location ?? before.location,
        phone: change.phone_number ?? before.phone,
      };
      if (changedFields(before, after).some((each) => businesses.configFields[each] !== 'looks'))
        withFactor();
      const now = ports.clock.now();
      await updateBusinessRow(tx, after, now);
      await keepLaterGoLive(tx, { before: before.goLiveDate, after: after.goLiveDate, now });
      const ended = exemptNoLonger(before.settings.exempt, after.settings.exempt);
      if (ended) {
        await keepExemptEnded(tx, endExemptions(before.exemptEnded, ended, now));
        await ports.exemptNoLonger(tx, ended, now);
      }
      if (branding?.logo !== undefined)
        await ports.alerts.resolve(tx, ctx, ctx.businessId, ['logo_removed']);
      await ports.record(tx, ctx, {
        action: 'business.configured',
        subject: ctx.businessId,
        before: shown(before),
        after: shown(after),
      });
      return getBusiness(tx);
    });
  };

/** Lists the changed fields by their names in the contract. */
function changedFields(before: Business, after: Business): string[] {
  const differ = <T extends object>(a: T, b: T) =>
    (Object.keys(b) as (keyof T & string)[]).filter((each) => !isDeepStrictEqual(a[each], b[each]));
  const contact = ({ goLiveDate, location, phone }: Business) => ({
    go_live_date: goLiveDate,
    location,
    phone_number: phone,
  });
  return [
    ...differ(before.settings, after.settings).map((each) => `settings.${each}`),
    ...differ(before.branding, after.branding).map((each) => `branding.${each}`),
    ...differ(contact(before), contact(after)),
  ];
}

const withoutGaps = <T extends object>(given: Given<T> | undefined): Partial<T> =>
  Object.fromEntries(
    Object.entries(given ?? {}).filter(([, value]) => value !== undefined),
  ) as Partial<T>;

/** Shows settings in the audit log, where an image would only make it long. */
const shown = ({ settings, branding, goLiveDate, location, phone }: Business) => ({
  settings,
  branding: { ...branding, logo: branding.logo && `${branding.logo.length} characters` },
  go_live_date: goLiveDate,
  location,
  phone_number: phone,
});
