import * as contract from '@muhuri/shared/contract/index';
import type { Endpoint } from '@muhuri/shared/contract/index';
import { describe, expect, test } from 'vitest';

const endpoints: [string, Endpoint][] = Object.values(contract).flatMap((feature) =>
  Object.entries(feature as Record<string, unknown>).filter(
    (entry): entry is [string, Endpoint] => typeof entry[1] === 'object' && entry[1] !== null && 'path' in entry[1] && 'guard' in entry[1],
  ),
);

const notYetKnown = 'nobody is signed in yet: what is given is the proof itself';
const ownProof = 'asks for the password, for a code or for a mailed link itself';
const lessThanBefore = 'only takes away what was open: nobody must be kept from stopping something';
const dailyWork = 'the daily work of whoever may seal: nothing beyond the one document';

/**
 * Whatever changes something asks for the second factor, or stands here with the reason why it does not. What settles a doubt, changes
 * devices, keys, roles or settings, or lets data out to an address never belongs here.
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
  updateProfile: 'asks for password and second factor itself where the address changes; a name alone opens nothing',
  sendEmailLink: 'mails to an address that was asked for with the password',
  changePassword: 'asks for the password itself, and for the second factor where one is set up: without one a password must be changed still',
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
  putMappings: 'how taxes and items are named; each document shows them before it is sealed',
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
    expect(changing.filter(([name, e]) => !e.secondFactor && !without[name]).map(([name, e]) => `${name}: ${e.method} ${e.path}`)).toEqual([]);
  });

  test('stands on one side only, and no reason is left of a route that is gone', () => {
    const names = new Map(endpoints);
    expect(Object.keys(without).filter((name) => names.get(name) === undefined || names.get(name)?.secondFactor)).toEqual([]);
  });

  test('no reading is taken for one that changes: a secret is shown by none, so reading never asks', () => {
    expect(endpoints.filter(([, e]) => e.method === 'GET' && e.secondFactor).map(([name]) => name)).toEqual([]);
  });

  test('of what a program may do with a key none asks: a key has no second factor, and would be kept out for ever', () => {
    const programs = ['read', 'seal', 'confirm', 'sync', 'read_trail'];
    expect(endpoints.filter(([, e]) => e.secondFactor && programs.includes(e.guard)).map(([name]) => name)).toEqual([]);
  });
});
