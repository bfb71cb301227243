import type { Views } from './api.ts';
import { usePage } from './page.ts';
import { Tag } from './parts.tsx';
import type { PageWords } from './words.ts';

type MadeBy = Views['subscribers']['subscribers'][number]['made_by'];

/** Whoever made something, and whether they are no admin any more. */
export function Maker({ of: maker }: { of: MadeBy }) {
  const { words } = usePage();
  if (!maker) return <>{words.maker_unknown}</>;
  return (
    <>
      {maker.name ? <bdi>{maker.name}</bdi> : null}{' '}
      {maker.standing === 'admin' ? null : (
        <Tag tone={maker.standing === 'blocked' ? 'bad' : 'wait'}>
          {words[`maker_${maker.standing}`]}
        </Tag>
      )}
    </>
  );
}

/** The same as plain text; null where it is not known. */
export const makerText = (maker: MadeBy, words: PageWords): string | null =>
  maker &&
  [maker.name ?? '', maker.standing === 'admin' ? '' : words[`maker_${maker.standing}`]]
    .filter(Boolean)
    .join(' · ');
