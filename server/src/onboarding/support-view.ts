/** Support access as it is shown to the business and to the operator. */
export type Support = {
  id: string;
  operatorName: string;
  reason: string;
  begunAt: Date;
  until: Date;
  endedAt?: Date | null | undefined;
};

export const supportView = (support: Support) => ({
  id: support.id,
  operator_name: support.operatorName,
  reason: support.reason,
  begun_at: support.begunAt.toISOString(),
  until: support.until.toISOString(),
  ended_at: support.endedAt?.toISOString() ?? null,
});
