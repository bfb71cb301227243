import type { Business } from './business.model.ts';

export type DirectoryEntry = {
  businessId: string;
  name: string;
  taxpayerId: string;
  email: string;
  organizationId: string | null;
  status: Business['status'];
  createdAt: Date;
};

/** What a job counts in each business, so that a list of a thousand needs no look into any of them. */
export type BusinessTotals = {
  signed: number;
  signedToday: number;
  refused: number;
  queued: number;
  inDoubt: number;
  oldestUnsignedAt: Date | null;
  lastContactAt: Date | null;
  devices: number;
  devicesPaused: number;
  people: number;
  requestsToday: number;
  alerts: number;
  updatedAt: Date;
};

export type PlatformTotals = { businesses: Record<string, number>; sums: Record<string, number>; updatedAt: Date | null };
