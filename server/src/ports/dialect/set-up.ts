import type { DeviceAnswer, DeviceRequest, DialectDevice, SetUpReply } from './device.ts';

export type Initialised = {
  sdcId: string;
  mrcNumber: string;
  lastInvoiceNumber: string;
  isVatRegistered: boolean | null;
  taxpayerName: string;
  secrets: Record<string, string>;
};

/**
 * `serves`: an envelope of a device that knows whom it serves. `stranger`: of one that does not.
 * `link_down`: it says that it has no link to the authority. `vsdc_missing`: a web server without
 * its device. `stopped`: refuses to serve. `other`: something else altogether.
 */
export type ProbeAnswer =
  | 'serves'
  | 'stranger'
  | 'link_down'
  | 'vsdc_missing'
  | 'stopped'
  | 'other';

/** How a device begins its work, and how it is asked whether it still does. */
export type SetUp = {
  /**
   * For how many hours a device signs without reaching its authority before it stops; null where it
   * never does.
   */
  offlineHoursMax: number | null;
  /** Asked of a device to learn whether it serves at all; signs nothing. */
  probe: {
    toRequest(device: DialectDevice): DeviceRequest;
    isServing(answer: DeviceAnswer): boolean;
    /** What the answer says of whoever gave it, as far as a device lets itself be asked. */
    judge(answer: DeviceAnswer): ProbeAnswer;
  };
  initialise: {
    toRequest(device: DialectDevice): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<Initialised>;
  };
};
