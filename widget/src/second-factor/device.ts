/**
 * What the server answered for a device that was asked to be remembered, by whose it is. It opens
 * nothing by itself: it only spares the second factor beside a right password. Storage may be
 * blocked in a frame; then the code is asked for each time.
 */
const key = 'muhuri.devices';

const read = (): Record<string, string> => {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
};

/** `whose`: the username, or `zoho:` and the organization where nobody typed one. */
export const deviceToken = (whose: string): string | undefined =>
  read()[whose.trim().toLowerCase()];

export function keepDeviceToken(whose: string, token: string | undefined): void {
  if (!token) return;
  try {
    localStorage.setItem(key, JSON.stringify({ ...read(), [whose.trim().toLowerCase()]: token }));
  } catch {
    // Not remembered, then.
  }
}
