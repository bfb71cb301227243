import type { Amount } from '@muhuri/shared/money';
import type { ItemContent } from '../../model/sale.model.ts';
import type { DeviceAnswer, DeviceRequest, DialectDevice, SetUpReply } from './device.ts';

/** What an item is called, and how a device is told of it before it is sold. */
export type Items = {
  code(content: ItemContent, sequence: number): string;
  /** Absent where a device takes any item of a sale as it comes. */
  register?: {
    toRequest(item: {
      device: DialectDevice;
      itemCode: string;
      content: ItemContent;
      price: Amount;
      user: { id: string; name: string };
    }): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<null>;
  };
};
