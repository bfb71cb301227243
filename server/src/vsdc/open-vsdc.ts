import { addressPolicy } from '../platform/address-policy.ts';
import type { NameResolver } from '../platform/resolver.ts';
import { type DirectSettings, directVsdc, usualSettings } from './direct-vsdc.ts';

/** Opens the way to devices, and says how long they may take. */
export function openVsdc(
  networks: string[],
  names: NameResolver,
  changed: Partial<DirectSettings> | undefined,
) {
  const vsdcTiming = { ...usualSettings, ...changed };
  return { vsdc: directVsdc(addressPolicy(networks, names), vsdcTiming), vsdcTiming };
}
