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

/**
 * What a job counts in each business, so that a list of a thousand needs no look into any of them.
 */
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
  /**
   * How the connection with Zoho does: its state, the calls of the last day and how many failed,
   * and the last look for changes.
   */
  zoho: {
    status: 'none' | 'active' | 'needs_reconnecting';
    calls: number;
    failed: number;
    lookedAt: Date | null;
  };
  updatedAt: Date;
};

export type PlatformTotals = {
  businesses: Record<string, number>;
  sums: Record<string, number>;
  /**
   * Businesses by the state of their connection with Zoho, and the latest look for changes
   * anywhere.
   */
  zoho: Record<string, number>;
  lookedAt: Date | null;
  updatedAt: Date | null;
};
