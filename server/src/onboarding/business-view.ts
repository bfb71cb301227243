import type { Business } from '../businesses/index.ts';

/** A business as it is shown to its own people and to the operator. */
export const toBusinessView = (is: Business, organizationId: string | null) => ({
  id: is.id,
  business_name: is.name,
  email: is.email,
  location: is.location,
  tin_number: is.taxpayerId,
  phone_number: is.phone,
  country: is.country,
  vat_registered: is.isVatRegistered,
  status: is.status,
  organization_id: organizationId,
  go_live_date: is.goLiveDate,
  version: is.version,
  created_at: is.createdAt.toISOString(),
  updated_at: is.updatedAt.toISOString(),
});
