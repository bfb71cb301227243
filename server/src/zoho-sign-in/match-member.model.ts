/** A member of the business, as far as it matters which Zoho user they are. */
export type Candidate = {
  membershipId: string;
  status: 'active' | 'ended';
  zohoUserId: string | null;
  email: string | null;
  isEmailVerified: boolean;
  isBlocked: boolean;
};

/** `known`: was this Zoho user before; `alike`: has the same confirmed address. */
export type Match =
  | { is: 'known' | 'alike'; membershipId: string }
  | { is: 'new' }
  | { is: 'refused' };

/**
 * The roles that Zoho itself has for people who do the books. What a business calls its other roles
 * says nothing about invoices.
 */
const usualRoles = ['admin', 'staff'];

/**
 * Decides which member of the business a Zoho user is: the one this user was before, else the only
 * one with the same confirmed address. Else, if the business admits its Zoho users and the role
 * there is a usual one, somebody new. A member whose place has ended here, or whom the operator has
 * blocked, does not come back by way of Zoho, nor as somebody new.
 */
export function matchMember(
  user: { id: string; email: string; role: string },
  candidates: Candidate[],
  mode: 'members' | 'users',
): Match {
  const known = candidates.find((each) => each.zohoUserId === user.id);
  if (known?.status === 'ended') return { is: 'refused' };
  const named = candidates.filter(
    (each) => user.email !== '' && each.email?.toLowerCase() === user.email,
  );
  // An address that nobody has confirmed is what somebody typed: it does not say who they are.
  const alike = named.filter(
    (each) => each.status === 'active' && each.zohoUserId === null && each.isEmailVerified,
  );
  const member = known ?? (alike.length === 1 ? alike[0] : undefined);
  if (member)
    return member.isBlocked
      ? { is: 'refused' }
      : { is: known ? 'known' : 'alike', membershipId: member.membershipId };
  // For somebody new the address alone is enough to doubt that.
  if (named.some((each) => each.status === 'ended' || each.isBlocked)) return { is: 'refused' };
  return mode === 'users' && usualRoles.includes(user.role) ? { is: 'new' } : { is: 'refused' };
}
