import { useEffect } from 'preact/hooks';
import type { Views } from './api.ts';
import { moment, useAct, useLoad, usePage } from './page.ts';
import { FactList, Message, Shown } from './parts.tsx';
import { filled } from './words.ts';

type Device = NonNullable<Views['branches']['branches'][number]['device']>;

/**
 * Whom the device signs for, as the authority says; where the business says otherwise, both, and
 * the way out.
 */
export function Taxpayer({ device, onChange }: { device: Device; onChange(): void }) {
  const { words, api, language } = usePage();
  const { act, isBusy, message } = useAct();
  const { told, difference } = device;
  if (!told) return null;
  const vat =
    told.vat_registered === null
      ? words.vatNotTold
      : told.vat_registered
        ? words.vatRegistered
        : words.vatNotRegistered;
  const takeOver = () =>
    act(async () => {
      const business = await api.get<Views['business']>('/businesses/me');
      await api.put('/businesses/me/taxpayer', {
        business_name: String(difference?.told_name ?? business.business_name),
        vat_registered:
          typeof difference?.told_vat_registered === 'boolean'
            ? difference.told_vat_registered
            : business.vat_registered,
        version: business.version,
      });
      onChange();
    });
  return (
    <>
      <FactList
        rows={[
          [words.signsFor, told.name],
          [words.vat, vat],
          [words.toldAt, moment(told.at, language)],
        ]}
      />
      {difference ? (
        <div class="notice bad" role="alert">
          <p>
            <strong>{difference.title}</strong> <span class="quiet">{difference.detail}</span>
          </p>
          <button
            type="button"
            class="button plain"
            disabled={isBusy}
            onClick={() => void takeOver()}
          >
            {words.takeOverTaxpayer}
          </button>
        </div>
      ) : null}
      <Message text={message} />
    </>
  );
}

const lookAgainMs = 700;

/**
 * The authority's rates and lists as a device has them: when they were had, what changed, and a
 * button to have them now.
 */
export function AuthorityLists({ branchId }: { branchId: string }) {
  const { words, api, language } = usePage();
  const { act, isBusy, message } = useAct();
  const lists = useLoad(() => api.get<Views['lists']>(`/branches/${branchId}/lists`));
  const isRunning = lists.data?.is_running === true;
  useEffect(() => {
    if (!isRunning) return;
    const timer = setTimeout(lists.reload, lookAgainMs);
    return () => clearTimeout(timer);
  }, [lists.data]);
  const refresh = () =>
    act(async () => lists.set(await api.post<Views['lists']>(`/branches/${branchId}/lists`)));
  return (
    <section>
      <h3>{words.ratesAndLists}</h3>
      <Shown of={lists}>
        {(is) => {
          const changed =
            is.changes?.reduce((sum, each) => sum + each.added + each.removed + each.renamed, 0) ??
            0;
          return (
            <>
              <FactList
                rows={[
                  ...is.rates.map((rate): [string, string] => [
                    rate.tax_class,
                    rate.percent === null ? rate.name : `${rate.percent} %`,
                  ]),
                  ...is.rate_changes.map((each): [string, string] => [
                    filled(words.rateChanged, { name: each.tax_class }),
                    `${each.before} % → ${each.after} %, ${moment(each.since, language)}`,
                  ]),
                  [words.listsFetched, moment(is.refreshed_at, language)],
                ]}
              />
              {is.problem ? (
                <p class="notice bad">
                  <strong>{is.problem.title}</strong> <span class="quiet">{is.problem.detail}</span>
                </p>
              ) : null}
              <p role="status">
                {is.is_running ? (
                  <>
                    {filled(words.listsRunning, { n: is.step, of: is.steps })}{' '}
                    <progress value={is.step} max={is.steps} aria-label={words.ratesAndLists} />
                  </>
                ) : is.changes === null ? (
                  ''
                ) : changed > 0 ? (
                  filled(words.listsChanged, { n: changed })
                ) : (
                  words.listsSame
                )}
              </p>
              <button
                type="button"
                class="button plain"
                disabled={isBusy || is.is_running}
                onClick={() => void refresh()}
              >
                {words.listsRefresh}
              </button>
            </>
          );
        }}
      </Shown>
      <Message text={message} />
    </section>
  );
}
