import { stamp14 } from '../../dialect-kit/dates.ts';
import type { Print } from '../../ports/dialect/print.ts';
import { timeZone } from './taxes.ts';

/** The RRA's public page for a receipt; resolves for receipts of production devices only. */
const verificationPage =
  'https://myrra.rra.gov.rw/common/link/ebm/receipt/indexEbmReceiptData?Data=';

export const verification: Print['verification'] = (signature, device, form, base) => {
  const sign = signature.receiptSignature.replaceAll('-', '');
  if (form === 'url')
    return `${base ?? verificationPage}${device.taxpayerId}${device.branchCode}${sign}`;
  const at = stamp14(signature.signedAt, timeZone);
  const day = `${at.slice(6, 8)}${at.slice(4, 6)}${at.slice(0, 4)}`;
  return [
    day,
    at.slice(8),
    signature.sdcId,
    signature.receiptNumber,
    signature.internalData.replaceAll('-', ''),
    sign,
  ].join('#');
};

/** Normal or copy, sale or refund. */
export const labelOf: Print['label'] = (kind, isCopy) =>
  `${isCopy ? 'C' : 'N'}${kind === 'sale' ? 'S' : 'R'}`;
