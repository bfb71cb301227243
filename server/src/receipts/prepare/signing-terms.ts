import type { Device } from '../../branches/index.ts';
import type { Business } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { demandsOf } from '../sale/device-demands.model.ts';
import { noPerson, type SigningTerms } from '../sale/signing-input.model.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

export function termsOf(
  ctx: Context,
  business: Business,
  device: Device,
  rates: Record<string, string>,
  saleReceipt: Receipt | null,
): SigningTerms {
  const user =
    ctx.actor.type === 'person'
      ? { id: ctx.actor.membershipId.slice(-20), name: ctx.actor.name }
      : noPerson;
  return {
    device: {
      taxpayerId: business.taxpayerId,
      branchCode: device.branchCode,
      serial: device.serial,
    },
    mrcNumber: device.mrcNumber,
    rates,
    headerTax: saleReceipt?.filed.terms.headerTax ?? business.settings.header_tax,
    originalInvoiceNumber: saleReceipt?.invoiceNumber ?? null,
    ...(saleReceipt?.signature ? { originalSdcId: saleReceipt.signature.sdcId } : {}),
    originalReceipt: saleReceipt?.signature
      ? {
          receiptNumber: saleReceipt.signature.receiptNumber,
          totalReceiptNumber: saleReceipt.signature.totalReceiptNumber,
          label: saleReceipt.signature.label,
        }
      : null,
    ...demandsOf(device),
    user,
    ...(ctx.actor.type === 'api_key' ? { askedByProgram: true } : {}),
    ...(ctx.actor.type === 'job' ? { openedByItself: true } : {}),
    seller: {
      tradeName: business.branding.trade_name,
      address: device.branchAddress || business.branding.address_lines.join(', '),
      topMessage: business.branding.top_message,
      bottomMessage: business.branding.bottom_message,
    },
    verification: { form: business.settings.qr_form, base: business.settings.verification_base },
  };
}

/**
 * Since when documents of this place are sealed for real: its branch has a production device, and
 * the place is mapped to such a branch.
 */
export const laterOf = (branch: Date | null, place: Date | null): Date | null =>
  branch && place && place > branch ? place : branch;
