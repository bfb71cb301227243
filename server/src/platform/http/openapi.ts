import { type Endpoint } from '@muhuri/shared/contract/index';
import { type Permission, permissions } from '@muhuri/shared/permissions';
import { problems } from '@muhuri/shared/problems';
import { z } from 'zod';

const guardText = (guard: string): string =>
  guard === 'anyone'
    ? 'No sign-in needed.'
    : guard === 'signed_in'
      ? 'Any signed-in person.'
      : `Needs the permission \`${guard}\`: ${permissions[guard as Permission].toLowerCase()}.`;

/**
 * OpenAPI 3.1 printed from the contract: the same values the server answers and the widget calls.
 */
export function openApi(endpoints: Endpoint[], version: string): object {
  const schemas: Record<string, unknown> = {};
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output') => {
    const {
      $defs,
      $schema: _schema,
      ...rest
    } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Record<string, unknown>;
    Object.assign(schemas, moved($defs ?? {}));
    return moved(rest);
  };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const e of endpoints) {
    const parameters = [...e.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    }));
    const query = e.query
      ? (schemaOf(e.query, 'input') as {
          properties?: Record<string, unknown>;
          required?: string[];
        })
      : {};
    const queries = Object.entries(query.properties ?? {}).map(([name, schema]) => ({
      name,
      in: 'query',
      required: query.required?.includes(name) ?? false,
      schema,
    }));
    const body = e.produces
      ? { [e.produces]: { schema: { type: 'string' } } }
      : { 'application/json': { schema: schemaOf(e.output, 'output') } };
    paths[e.path] = {
      ...paths[e.path],
      [e.method.toLowerCase()]: {
        summary: e.summary,
        description: guardText(e.guard) + (e.secondFactor ? ' Asks for the second factor.' : ''),
        parameters: [...parameters, ...queries],
        ...(e.input
          ? {
              requestBody: {
                required: true,
                content: { 'application/json': { schema: schemaOf(e.input, 'input') } },
              },
            }
          : {}),
        ...(e.guard === 'anyone' ? { security: [] } : {}),
        responses: {
          200: { description: 'Done', content: body },
          default: {
            description: 'A problem',
            content: {
              'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
            },
          },
        },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Muhuri',
      version,
      description: `Fiscal receipts for Zoho Books invoices. Problem codes: ${Object.keys(problems).join(', ')}.`,
    },
    servers: [{ url: '/api/v1' }],
    security: [{ bearer: [] }],
    paths,
    components: { schemas, securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  };
}

/** Definitions move to where OpenAPI looks for them. */
const moved = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/'));
