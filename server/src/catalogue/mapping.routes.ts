import { mappings } from '@muhuri/shared/contract/index';
import { answer } from '../platform/http/answer.ts';
import type { GetMappings, PutMappings } from './map.ts';

export const mappingRoutes = (use: { getMappings: GetMappings; putMappings: PutMappings }) => [
  answer(mappings.getMappings)((call) => use.getMappings(call.ctx, call.params.kind as string)),
  answer(mappings.putMappings)((call, { input }) => use.putMappings(call.ctx, call.params.kind as string, input.mappings)),
];
