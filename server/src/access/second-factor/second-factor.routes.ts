import { access } from '@muhuri/shared/contract/index';
import type { Session } from '../../context.ts';
import { route } from '../../platform/http/route.ts';
import type { Account } from '../account/account.ts';
import { ofBusiness, toSessionView } from '../sessions/session-view.ts';
import type { RememberedDevice } from './second-factor.ts';

type Use = { account: Account; qrSvg(text: string): Promise<string>; now(): Date };

/** How people set up, give and remove their own second factor. */
export const secondFactorRoutes = ({ account, qrSvg, now }: Use) => {
  const view = (session: Session) => toSessionView(session, now());
  return [
    route(access.beginTotp)(async (call, { input }) => {
      const begun = await account.beginTotp(call.session, input.password);
      return { ...begun, qr_svg: await qrSvg(begun.uri), ...ofBusiness(call) };
    }),
    route(access.confirmTotp)(async (call, { input }) => {
      const { session, recoveryCodes } = await account.confirmTotp(call.session, input.code);
      return { ...view(session), recovery_codes: recoveryCodes };
    }),
    route(access.passSecondFactor)(async (call, { input }) => {
      const { session, deviceToken } = await account.passSecondFactor(
        call.session,
        input,
        call.from,
      );
      return { ...view(session), ...(deviceToken ? { device_token: deviceToken } : {}) };
    }),
    route(access.removeTotp)(async (call, { input }) => {
      await account.removeTotp(call.session, input.password);
      return ofBusiness(call);
    }),
    route(access.readSecondFactor)(async (call) => {
      const { codesLeft, devices } = await account.readFactor(call.session);
      return {
        recovery_codes_left: codesLeft,
        devices: devices.map(deviceView),
        next_cursor: null,
        ...ofBusiness(call),
      };
    }),
    route(access.renewRecoveryCodes)(async (call) => ({
      recovery_codes: await account.renewRecoveryCodes(call.session),
      ...ofBusiness(call),
    })),
    route(access.forgetDevice)(async (call) => {
      await account.forgetDevice(call.session, call.params.id as string);
      return ofBusiness(call);
    }),
  ];
};

const deviceView = (device: RememberedDevice) => ({
  id: device.id,
  address: device.address,
  user_agent: device.userAgent,
  created_at: device.createdAt.toISOString(),
  last_used_at: device.lastUsedAt.toISOString(),
  expires_at: device.expiresAt.toISOString(),
});
