/** Where an exchange with a device, and the recording of it, can break. */
export const points = [
  'before_connect',
  'after_connect',
  'mid_request',
  'after_request',
  'mid_response',
  'after_response',
  'before_commit',
  'after_commit',
] as const;
export type Point = (typeof points)[number];

/** How. */
export const faults = [
  'drop',
  'reset',
  'stall',
  'slow_drip',
  'http_500',
  'garbage',
  'html',
  'empty_success',
  'total_not_above',
  'signature_held',
  'other_sdc',
  'late_answer',
] as const;
export type Fault = (typeof faults)[number];

export const kinds = ['sale', 'refund', 'item', 'initialisation'] as const;
export type Kind = (typeof kinds)[number];

/**
 * Why a pair of point and fault is not one; null: it is. Before a connection there is nobody to
 * answer; after a whole answer nothing of it can be changed any more; and a commit answers nothing
 * that could be garbage.
 */
export function absence(point: Point, fault: Fault): string | null {
  if (point === 'before_connect' && !['reset', 'stall'].includes(fault))
    return 'nobody there to do it';
  if (
    point === 'after_response' &&
    !['drop', 'reset', 'stall', 'http_500', 'garbage', 'html'].includes(fault)
  )
    return 'the answer is whole already';
  if (
    (point === 'before_commit' || point === 'after_commit') &&
    !['drop', 'reset', 'stall'].includes(fault)
  )
    return 'a commit has no such answer';
  return null;
}

export const pairs: [Point, Fault][] = points.flatMap((point) =>
  faults.flatMap((fault) => (absence(point, fault) ? [] : [[point, fault] as [Point, Fault]])),
);
