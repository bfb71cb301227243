import { expect, test } from 'vitest';
import { type Candidate, type Match, matchMember } from './match-member.model.ts';

const user = { id: '700', email: 'ineza@books.example', role: 'staff' };
const member: Candidate = {
  membershipId: 'mbr_1',
  status: 'active',
  zohoUserId: null,
  email: 'Ineza@books.example',
  isEmailVerified: true,
  isBlocked: false,
};
const known = { ...member, zohoUserId: '700', email: 'other@books.example' };
const isOther = { ...member, membershipId: 'mbr_2', email: 'keza@books.example' };
const refused: Match = { is: 'refused' };
const asKnown: Match = { is: 'known', membershipId: 'mbr_1' };
const asAlike: Match = { is: 'alike', membershipId: 'mbr_1' };

test.each<[string, Candidate[], 'members' | 'users', Match]>([
  ['was a member by Zoho before', [isOther, known], 'members', asKnown],
  [
    'was one, beside another with their address',
    [known, { ...member, membershipId: 'mbr_2' }],
    'members',
    asKnown,
  ],
  ['was one whose place has ended', [{ ...known, status: 'ended' }], 'users', refused],
  ['was one who is blocked', [{ ...known, isBlocked: true }], 'users', refused],
  ['has a member’s confirmed address', [isOther, member], 'members', asAlike],
  ['has an address nobody confirmed', [{ ...member, isEmailVerified: false }], 'members', refused],
  [
    'has it where users are admitted',
    [{ ...member, isEmailVerified: false }],
    'users',
    { is: 'new' },
  ],
  [
    'has the address of two members',
    [member, { ...member, membershipId: 'mbr_2' }],
    'members',
    refused,
  ],
  ['has the address of another Zoho user', [{ ...member, zohoUserId: '701' }], 'members', refused],
  ['has the address of a blocked member', [{ ...member, isBlocked: true }], 'users', refused],
  ['has the address of one who has left', [{ ...member, status: 'ended' }], 'users', refused],
  ['is nobody here', [isOther], 'members', refused],
  ['is nobody here, where users are admitted', [isOther], 'users', { is: 'new' }],
])('A Zoho user who %s', (_, candidates, mode, match) => {
  expect(matchMember(user, candidates, mode)).toEqual(match);
});

test('A Zoho user of another role than the usual ones does not become a member', () => {
  expect(matchMember({ ...user, role: 'timesheet' }, [isOther], 'users')).toEqual(refused);
});

test('A Zoho user without an address is like nobody', () => {
  const nameless = { ...user, email: '' };
  expect(matchMember(nameless, [{ ...member, email: '' }], 'members')).toEqual(refused);
});
