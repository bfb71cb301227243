import { mappings } from '@muhuri/shared/contract/index';
import { route } from '../platform/http/route.ts';
import type { FindTaxpayer } from './look-up-taxpayer.ts';
import type { BookNames } from './book-names.ts';
import type { GetMappings, PutMappings } from './mappings.ts';

export const mappingRoutes = (use: {
  getMappings: GetMappings;
  putMappings: PutMappings;
  findTaxpayer: FindTaxpayer;
  listNames: BookNames;
}) => [
  route(mappings.listMappingNames)(async (call) => ({
    names: (await use.listNames(call.ctx, call.params.kind as string)).map(({ id, name }) => ({
      key: id,
      name,
    })),
    next_cursor: null,
  })),
  route(mappings.getMappings)((call) => use.getMappings(call.ctx, call.params.kind as string)),
  route(mappings.putMappings)((call, { input }) =>
    use.putMappings(call.ctx, call.params.kind as string, input.mappings),
  ),
  route(mappings.findTaxpayer)((call) => use.findTaxpayer(call.ctx, call.params.tin as string)),
];
