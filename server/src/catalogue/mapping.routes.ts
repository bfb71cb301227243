import { mappings } from '@muhuri/shared/contract/index';
import { answer } from '../platform/http/answer.ts';
import type { FindTaxpayer } from './find-taxpayer.ts';
import type { GetMappings, PutMappings } from './map.ts';

export const mappingRoutes = (use: { getMappings: GetMappings; putMappings: PutMappings; findTaxpayer: FindTaxpayer }) => [
  answer(mappings.getMappings)((call) => use.getMappings(call.ctx, call.params.kind as string)),
  answer(mappings.putMappings)((call, { input }) => use.putMappings(call.ctx, call.params.kind as string, input.mappings)),
  answer(mappings.findTaxpayer)((call) => use.findTaxpayer(call.ctx, call.params.tin as string)),
];
