/** What a business decides about its receipts. Defaults are the safe choice. */
export type BusinessSettings = {
  /** Refunds of a part of a sale: off until the authority has confirmed it for this business. */
  partial_refunds: boolean;
  /**
   * The way out of a receipt whose data are lost for good: two persons refund it under its number
   * and sell anew. Off until the authority has confirmed it for this business.
   */
  reversal_without_data: boolean;
  header_tax: 'lines' | 'class';
  qr_form: 'url' | 'hash';
  /** Replaces the authority's public page in the code: for a rehearsal against a simulator. */
  verification_base: string | null;
  /** Older documents ask for confirmation. */
  document_age_days_max: number;
  /** Seal by itself what is sent in Zoho, or already what is approved there; never a draft. */
  auto_seal: 'off' | 'sent' | 'approved';
  /** What is never sealed by itself. */
  exempt: { customer_ids: string[]; location_ids: string[]; number_prefixes: string[] };
  /** Write the seal to the document in Zoho: fields, the receipt as a file, a comment. */
  write_back: boolean;
  /**
   * Have Zoho mail the document once the receipt is attached: Zoho's own mail would leave before
   * the seal exists.
   */
  mail_after_seal: boolean;
  /** Which Zoho custom fields take the seal, by their api names; '' leaves that one out. */
  seal_fields: ReceiptFields;
  /**
   * Who may enter with their Zoho account: nobody, members only, or whoever is an active user of
   * the organization with a usual role.
   */
  zoho_sign_in: 'off' | 'members' | 'users';
  /** Which Zoho custom fields hold what the buyer said. */
  custom_fields: { buyer_tin: string; purchase_code: string };
};

/** Says whether the business has said that a document is never signed automatically. */
export const isExempt = (
  { exempt }: Pick<BusinessSettings, 'exempt'>,
  document: { number: string; customer: { id: string }; locationId: string | null },
): boolean =>
  exempt.customer_ids.includes(document.customer.id) ||
  (document.locationId !== null && exempt.location_ids.includes(document.locationId)) ||
  exempt.number_prefixes.some((prefix) => document.number.startsWith(prefix));

/**
 * Returns what was exempt and is not any more; null if nothing changed so. A prefix of numbers is
 * exempt as long as a shorter one includes it.
 */
export function exemptNoLonger(
  before: BusinessSettings['exempt'],
  after: BusinessSettings['exempt'],
): BusinessSettings['exempt'] | null {
  const ended = {
    customer_ids: before.customer_ids.filter((id) => !after.customer_ids.includes(id)),
    location_ids: before.location_ids.filter((id) => !after.location_ids.includes(id)),
    number_prefixes: before.number_prefixes.filter(
      (prefix) => !after.number_prefixes.some((each) => prefix.startsWith(each)),
    ),
  };
  return Object.values(ended).some((each) => each.length > 0) ? ended : null;
}

/**
 * One entry of what was exempt, and when that ended. `anything`: it ended too long ago to be kept one
 * by one.
 */
export type EndedExemption = {
  of: keyof BusinessSettings['exempt'] | 'anything';
  value: string;
  at: string;
};

const endedMost = 1_000;

/**
 * Adds what has ended just now, which replaces an earlier end of the same. The newest are kept as
 * they are. The rest is not forgotten: a document made before the latest of it ended is asked about,
 * because nobody knows any more which of them was exempt.
 */
export function endExemptions(
  before: EndedExemption[],
  ended: BusinessSettings['exempt'],
  at: Date,
): EndedExemption[] {
  const kinds = Object.keys(ended) as (keyof typeof ended)[];
  const now = kinds.flatMap((kind) =>
    ended[kind].map((value) => ({ of: kind, value, at: at.toISOString() })),
  );
  const keyOf = (each: EndedExemption) => `${each.of} ${each.value}`;
  const renewed = new Set(now.map(keyOf));
  const all = [...now, ...before.filter((each) => !renewed.has(keyOf(each)))];
  if (all.length <= endedMost) return all;
  const [last, ...rest] = all.splice(endedMost - 1).map((each) => each.at);
  return [
    ...all,
    {
      of: 'anything',
      value: '',
      at: rest.reduce((latest, each) => (each > latest ? each : latest), last as string),
    },
  ];
}

/**
 * Says whether a document was made while it was exempt, known to us or not: another system may have
 * signed it. A document without a time may have been.
 */
export const wasExemptWhenMade = (
  ended: EndedExemption[],
  document: Parameters<typeof isExempt>[1] & { createdAt: Date | null },
): boolean =>
  ended.some(
    ({ of: kind, value, at }) =>
      (document.createdAt === null || document.createdAt <= new Date(at)) &&
      (kind === 'anything' ||
        isExempt(
          { exempt: { customer_ids: [], location_ids: [], number_prefixes: [], [kind]: [value] } },
          document,
        )),
  );

/** Five, as many as the marketplace allows an extension per module. */
type ReceiptFields = {
  receipt_number: string;
  sdc_id: string;
  signature: string;
  verification_url: string;
  signed_at: string;
};

export const defaultSettings: BusinessSettings = {
  partial_refunds: false,
  reversal_without_data: false,
  header_tax: 'lines',
  qr_form: 'url',
  verification_base: null,
  document_age_days_max: 90,
  auto_seal: 'off',
  exempt: { customer_ids: [], location_ids: [], number_prefixes: [] },
  write_back: false,
  mail_after_seal: false,
  seal_fields: {
    receipt_number: '',
    sdc_id: '',
    signature: '',
    verification_url: '',
    signed_at: '',
  },
  zoho_sign_in: 'users',
  custom_fields: { buyer_tin: 'cf_custtin', purchase_code: 'cf_purchase_code' },
};

/**
 * A PNG or JPEG as a data URL that we have written ourselves, from a picture that was read whole.
 */
export type OwnLogo = string & { readonly isOwn: unique symbol };

/** What stands on paper besides the receipt itself. */
export type Branding = {
  trade_name: string;
  address_lines: string[];
  email: string | null;
  phone: string | null;
  /** `#rrggbb`. */
  accent_color: string;
  logo: OwnLogo | null;
  legal_lines: string[];
  top_message: string;
  bottom_message: string;
};

export type Business = {
  id: string;
  name: string;
  email: string;
  location: string;
  taxpayerId: string;
  phone: string;
  status: 'pending' | 'active' | 'suspended' | 'closed';
  country: string;
  isVatRegistered: boolean;
  goLiveDate: string;
  settings: BusinessSettings;
  exemptEnded: EndedExemption[];
  branding: Branding;
  /**
   * A stored logo that is not known to be ours: kept until somebody has looked at it, and shown to
   * nobody.
   */
  foreignLogo: string | null;
  dataKey: string;
  setup: SetupMarks;
  quotas: Record<string, number>;
  /** Grows with every change, so that two who change it at once notice. */
  version: number;
  createdAt: Date;
  updatedAt: Date;
};

/**
 * What the setup has proved so far: when each step was last seen to work, and how the rehearsal
 * went.
 */
export type SetupMarks = {
  /** A Zoho grant made for this business and not yet connected. */
  grant?: string;
  business?: string;
  rehearsal?: {
    at: string;
    entries: { what: string; state: 'done' | 'failed' | 'skipped'; detail: string }[];
  };
};
