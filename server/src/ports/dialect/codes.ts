import type { DeviceAnswer, DeviceRequest, DialectDevice, SetUpReply } from './device.ts';

export type Code = { code: string; name: string; data: Record<string, string> };

/** The authority's lists as a device gives them. */
export type Codes = {
  lists: {
    toRequest(device: DialectDevice): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<{ list: string; codes: Code[] }[]>;
  };
  itemClasses: {
    toRequest(device: DialectDevice): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<Code[]>;
  };
};
