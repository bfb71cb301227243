/** Support access as it is shown to the business and to the operator. */
export type Support = {
  id: string;
  operatorName: string;
  reason: string;
  begunAt: Date;
  until: Date;
  endedAt?: Date | null | undefined;
};

export const supportView = (is: Support) => ({
  id: is.id,
  operator_name: is.operatorName,
  reason: is.reason,
  begun_at: is.begunAt.toISOString(),
  until: is.until.toISOString(),
  ended_at: is.endedAt?.toISOString() ?? null,
});
