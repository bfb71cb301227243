import { zoho } from '@muhuri/shared/contract/index';
import { describeProblem } from '@muhuri/shared/problems';
import { route, type Call } from '../platform/http/route.ts';
import type { Step } from './index.ts';

type Use = {
  readSteps(ctx: Call['ctx'], receiptId: string): Promise<Step[]>;
  retry(ctx: Call['ctx'], receiptId: string): Promise<Step[]>;
  mail(ctx: Call['ctx'], receiptId: string): Promise<Step[]>;
};

export const writeBackRoutes = (use: Use) => [
  route(zoho.writeBack)(async (call) =>
    view(await use.readSteps(call.ctx, call.params.id as string), call.language),
  ),
  route(zoho.mailReceipt)(async (call) =>
    view(await use.mail(call.ctx, call.params.id as string), call.language),
  ),
  route(zoho.retryWriteBack)(async (call) =>
    view(await use.retry(call.ctx, call.params.id as string), call.language),
  ),
];

const view = (steps: Step[], language: string) => ({
  steps: steps.map((each) => ({
    step: each.step,
    state: each.state,
    tries: each.tries,
    problem: each.problem && describeProblem(each.problem, language),
    done_at: each.doneAt?.toISOString() ?? null,
  })),
});
