import type { DeviceAnswer, DeviceRequest, DialectDevice, SetUpReply } from './device.ts';

/** What a device knows of other taxpayers. */
export type Taxpayers = {
  /** Asks for the name the authority knows a taxpayer by; null where it knows none. */
  lookup: {
    toRequest(device: DialectDevice, taxpayerId: string): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<string | null>;
  };
};
