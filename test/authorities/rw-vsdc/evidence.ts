type Held = { request: Record<string, unknown>; reply: Record<string, unknown>; at: string };

/**
 * What a person copies from the authority's page of a receipt, in the form in which it settles a
 * doubt. `held`: the receipt as its device has it.
 */
export function evidenceOf(held: Held | undefined) {
  if (!held) throw new Error('the device holds no such receipt');
  const { request, reply, at } = held;
  return {
    found: true as const,
    source: 'the portal of the authority',
    invoice_number: String(request.invcNo),
    receipt_number: String(reply.rcptNo),
    total_receipt_number: String(reply.totRcptNo),
    internal_data: String(reply.intrlData),
    receipt_signature: String(reply.rcptSign),
    sdc_id: String(reply.sdcId),
    signed_at: `${at.slice(0, 19)}Z`,
  };
}
