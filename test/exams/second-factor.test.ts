import { refusalOf } from '@muhuri/server/access/access.model';
import type { Session } from '@muhuri/server/context';
import * as contract from '@muhuri/shared/contract/index';
import type { Endpoint } from '@muhuri/shared/contract/index';
import { describe, expect, test } from 'vitest';

const endpoints: [string, Endpoint][] = Object.values(contract).flatMap((feature) =>
  Object.entries(feature as Record<string, unknown>).filter(
    (entry): entry is [string, Endpoint] =>
      typeof entry[1] === 'object' &&
      entry[1] !== null &&
      'path' in entry[1] &&
      'guard' in entry[1],
  ),
);

const notYetKnown = 'nobody is signed in yet: what is given is the proof itself';
const ownProof = 'asks for the password, for a code or for a mailed link itself';
const lessThanBefore = 'only takes away what was open: nobody must be kept from stopping something';
const dailyWork = 'the daily work of whoever may seal: nothing beyond the one document';

/**
 * Whatever changes something asks for the second factor, or stands here with the reason why it does
 * not. What settles a doubt, changes devices, keys, roles or settings, or lets data out to an
 * address never belongs here.
 */
const without: Record<string, string> = {
  login: notYetKnown,
  forgotPassword: notYetKnown,
  resetPassword: ownProof,
  confirmEmail: ownProof,
  readInvitation: notYetKnown,
  acceptInvitation: 'the second factor of an account that exists is given with it',
  becomeOperator: notYetKnown,
  acceptOperator: notYetKnown,
  askWayBack: 'only asks: others decide, with their second factor',
  objectToWayBack: lessThanBefore,
  refuseWayBack: lessThanBefore,
  beginPairing: notYetKnown,
  pollPairing: notYetKnown,
  takePairing: notYetKnown,
  finishApproval: notYetKnown,
  answerApproval: notYetKnown,
  renewSession: 'the refresh token is the proof, and brings no more than the session had',
  receive: 'Zoho calls it: the key in its address and the signature are the proof',
  switchMembership: 'the second factor that was given goes along',
  logout: lessThanBefore,
  updateProfile:
    'asks for password and second factor itself where the address changes; a name alone opens nothing',
  sendEmailLink: 'mails to an address that was asked for with the password',
  changePassword:
    'asks for the password itself, and for the second factor where one is set up: without one a password must be changed still',
  beginTotp: ownProof,
  confirmTotp: ownProof,
  passSecondFactor: ownProof,
  forgetDevice: lessThanBefore,
  endSession: lessThanBefore,
  endOtherSessions: lessThanBefore,
  withdrawInvitation: lessThanBefore,
  endSupport: lessThanBefore,
  pauseLane: lessThanBefore,
  dropEvidence: lessThanBefore,
  dropReversal: lessThanBefore,
  closeAlert: 'says that somebody has seen it; what is wrong comes back by itself',
  addBranch: 'a branch without a device seals nothing; its device asks',
  updateBranch: 'a name and an address on paper',
  refreshAuthorityLists: 'asks the authority for its own lists',
  testVsdc: 'asks a device whether it serves, and changes nothing',
  previewBranding: 'stores nothing',
  updateConfig: 'asks by field: `configFields` says which are looks, and every other one asks',
  rehearse: 'seals on a sandbox device only',
  registerBusiness: 'a new business has nothing yet that could be lost',
  setQuotas: 'how much a business may call; sealing is never held up',
  replayNotice: 'sends once more to an address that was set with the second factor',
  finishConsent: 'ends what was begun with the second factor, in the same session',
  openReceipt: dailyWork,
  withdrawReceipt: dailyWork,
  printReceipt: dailyWork,
  printTogether: dailyWork,
  mailReceipt: dailyWork,
  retryWriteBack: dailyWork,
  pollNow: 'looks in Zoho for what has changed',
};

describe('every route that changes something', () => {
  const changing = endpoints.filter(([, e]) => e.method !== 'GET');

  test('asks for the second factor, or says why it does not', () => {
    expect(changing.length).toBeGreaterThan(60);
    expect(
      changing
        .filter(([name, e]) => !e.secondFactor && !without[name])
        .map(([name, e]) => `${name}: ${e.method} ${e.path}`),
    ).toEqual([]);
  });

  test('stands on one side only, and no reason is left of a route that is gone', () => {
    const names = new Map(endpoints);
    expect(
      Object.keys(without).filter(
        (name) => names.get(name) === undefined || names.get(name)?.secondFactor,
      ),
    ).toEqual([]);
  });

  test('no reading is taken for one that changes: a secret is shown by none, so reading never asks', () => {
    expect(
      endpoints.filter(([, e]) => e.method === 'GET' && e.secondFactor).map(([name]) => name),
    ).toEqual([]);
  });

  test('of what a program may do with a key none asks: a key has no second factor, and would be kept out for ever', () => {
    const programs = ['read', 'seal', 'confirm', 'sync', 'read_trail'];
    expect(
      endpoints
        .filter(([, e]) => e.secondFactor && programs.includes(e.guard))
        .map(([name]) => name),
    ).toEqual([]);
  });
});

/**
 * Whoever came by Zoho has shown a Zoho account and nothing of ours: no password, and no second
 * factor unless they set one up before, by their password. Zoho makes nobody an admin here; an
 * admin comes by Zoho only where their confirmed address is the Zoho user's. Without a second
 * factor they may do what is listed here and nothing more; whatever else changes something sends
 * them to set one up.
 */
const openByZoho: Record<'business_user' | 'business_admin', Record<string, string>> = {
  business_user: {
    openReceipt: dailyWork,
    withdrawReceipt: dailyWork,
    printReceipt: dailyWork,
    printTogether: dailyWork,
    mailReceipt: dailyWork,
    retryWriteBack: dailyWork,
  },
  business_admin: {
    withdrawInvitation: lessThanBefore,
    refuseWayBack: lessThanBefore,
    pauseLane: lessThanBefore,
    dropEvidence: lessThanBefore,
    dropReversal: lessThanBefore,
    closeAlert: without.closeAlert as string,
    addBranch: without.addBranch as string,
    updateBranch: without.updateBranch as string,
    refreshAuthorityLists: without.refreshAuthorityLists as string,
    testVsdc: without.testVsdc as string,
    previewBranding: without.previewBranding as string,
    updateConfig: 'looks only: what else it changes asks in its own code, by field',
    rehearse: without.rehearse as string,
    replayNotice: without.replayNotice as string,
    pollNow: without.pollNow as string,
    finishConsent: 'the consent it ends cannot be begun without a second factor',
  },
};

describe('whoever came by Zoho and has no second factor', () => {
  const now = new Date('2026-11-26T09:00:00Z');
  const as = (role: 'business_user' | 'business_admin'): Session => ({
    id: 'biz_x.x',
    person: { id: 'per_x', username: 'x', name: 'X', email: 'x@x.example' },
    isOperator: false,
    expiresAt: now,
    verifiedAt: null,
    hasSecondFactor: false,
    awaitsSecondFactor: false,
    lineage: 'x',
    business: {
      membership: { id: 'mem_x', businessId: 'biz_x', role, permissions: [] },
      name: 'X',
      taxpayerId: '1',
      organizationId: '1',
      status: 'active',
    },
    zohoUserId: '1',
    apiKey: null,
  });
  // What is for whoever is signed in is about their own account, and stands above: what opens more
  // there asks for the password, which Zoho does not give.
  const changing = endpoints.filter(
    ([, e]) => e.method !== 'GET' && e.guard !== 'anyone' && e.guard !== 'signed_in',
  );
  const openTo = (role: 'business_user' | 'business_admin') =>
    changing.filter(([, e]) => refusalOf(as(role), e, now) === null).map(([name]) => name);

  test('changes, as a user or as an admin, what is listed here with its reason and nothing else', () => {
    expect(openTo('business_user').toSorted()).toEqual(
      Object.keys(openByZoho.business_user).toSorted(),
    );
    expect(openTo('business_admin').toSorted()).toEqual(
      Object.keys({ ...openByZoho.business_user, ...openByZoho.business_admin }).toSorted(),
    );
  });

  test('is told to set one up wherever else an admin may go: keys, people, addresses, devices, the connection', () => {
    const refused = changing.filter(
      ([, e]) => e.secondFactor && refusalOf(as('business_admin'), e, now) !== 'not_allowed',
    );
    expect(refused.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'createKey',
        'endMember',
        'changeMember',
        'invite',
        'addSubscriber',
        'putMappings',
      ]),
    );
    expect(new Set(refused.map(([, e]) => refusalOf(as('business_admin'), e, now)))).toEqual(
      new Set(['second_factor_setup']),
    );
  });
});
