import { beginConsent } from './begin.ts';
import { bindConsent } from './bind.ts';
import type { ConsentPorts } from './consent-ports.ts';
import { finishConsent } from './finish.ts';
import { readConsent } from './read.ts';

/**
 * A consent at Zoho, from the page that confirms to the organizations it can serve. The state is a
 * secret of this session: it holds ten minutes, once, and names its business so that it opens the
 * ordinary door. PKCE is sent besides; Zoho does not promise to check it.
 */
export const consents = (ports: ConsentPorts) => ({
  begin: beginConsent(ports),
  finish: finishConsent(ports),
  read: readConsent(ports),
  bind: bindConsent(ports),
});
