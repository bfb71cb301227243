import { type BusinessSettings, isExempt } from '../businesses/business.model.ts';

type Document = {
  status: string;
  number: string;
  customer: { id: string };
  locationId: string | null;
};

const notYet = ['draft', 'pending_approval', 'submitted', 'rejected', 'void', ''];

/**
 * Whether a document is one that the business lets Muhuri seal by itself. Go-live, mappings and all
 * else are the pre-flight's.
 */
export function signsAutomatically(settings: BusinessSettings, document: Document): boolean {
  if (settings.auto_seal === 'off' || notYet.includes(document.status)) return false;
  if (document.status === 'approved' && settings.auto_seal !== 'approved') return false;
  return !isExempt(settings, document);
}
