/**
 * The rows behind the last one of the page before, in the order of (time, id) from the newest on. A
 * cursor says a time in thousandths of a second, a row may stand at a millionth within it: what its
 * row says itself counts, where it is there and of that thousandth, so that no row between two
 * pages is passed over or shown twice. An id that somebody made up decides nothing.
 */
export const pageAfter = (
  table: string,
  time: string,
  id: string,
  at: string,
  last: string,
): string => {
  const own = `select p.${bare(time)} from ${table} p where p.${bare(id)} = ${last}::text
    and p.${bare(time)} >= ${at}::timestamptz and p.${bare(time)} < ${at}::timestamptz + interval '1 millisecond'`;
  return `(${at}::timestamptz is null or (${time}, ${id}) < (case when exists (${own}) then (${own}) else ${at}::timestamptz end, ${last}::text))`;
};

const bare = (column: string): string => column.slice(column.indexOf('.') + 1);
