/** What is wrong with the first line of a commit, in words; null: nothing. */
export function wrongWith(subject: string): string | null {
  if (subject.length > 72) return `has ${subject.length} characters, and 72 are shown everywhere`;
  if (!/^[a-z][\w ./-]*: \S/.test(subject))
    return 'does not begin with what it changes: `area: imperative`';
  if (/[.;]$/.test(subject)) return 'is a title, and ends like one';
  if (/: (?:add|fix|change|remove|update|move|rename|make|use|test)(?:e?d|s|ing)\b/.test(subject))
    return 'says what was done; a subject says what the commit does: `add`, not `added`';
  return null;
}
