import type { Business } from '../businesses/index.ts';

/** A business as it is shown to its own people and to the operator. */
export const toBusinessView = (business: Business, organizationId: string | null) => ({
  id: business.id,
  business_name: business.name,
  email: business.email,
  location: business.location,
  tin_number: business.taxpayerId,
  phone_number: business.phone,
  country: business.country,
  vat_registered: business.isVatRegistered,
  status: business.status,
  organization_id: organizationId,
  go_live_date: business.goLiveDate,
  version: business.version,
  created_at: business.createdAt.toISOString(),
  updated_at: business.updatedAt.toISOString(),
});
