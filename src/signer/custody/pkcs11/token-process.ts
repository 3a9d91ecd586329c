/**
 * The program of the process that talks to the token. Modules of tokens are foreign code that may hang, crash or lose
 * its state for good: here that takes nothing else along, and a new process begins from scratch.
 */
import { openToken, type Token } from './token.ts';
import {
  type TokenAnswer,
  TokenFailure,
  type TokenFailureReport,
  type TokenOrder,
  type TokenReply,
  type TokenRequest,
  type TokenResults,
  type TokenSettings,
} from './token-messages.ts';

let token: Token | undefined;
/** Answers that go out together: a few, so that the service works with them while the next ones are made. */
let answers: TokenAnswer[] = [];
const MAX_ANSWERS = 8;

// It ends with the service, however that ends, and not with the terminal while answers are still being signed.
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

process.on('message', (request: TokenRequest) => {
  if ('open' in request) {
    reply({ opened: open(request.open) });
    return;
  }
  for (const { number, order } of request.orders) void answer(number, order);
});

function open(settings: TokenSettings): TokenFailureReport | null {
  try {
    token = openToken(settings);
    return null;
  } catch (error) {
    return reportOf(error);
  }
}

async function answer(number: number, order: TokenOrder): Promise<void> {
  let outcome: TokenAnswer;
  try {
    if (token === undefined) throw new TokenFailure('token_lost', 'the token is not open');
    outcome = { number, result: await carryOut(token, order) };
  } catch (error) {
    outcome = { number, failure: reportOf(error) };
  }
  answers.push(outcome);
  if (answers.length === 1) setImmediate(sendAnswers);
  if (answers.length === MAX_ANSWERS) sendAnswers();
}

function sendAnswers(): void {
  if (answers.length === 0) return;
  const ready = answers;
  answers = [];
  reply({ answers: ready });
}

async function carryOut(to: Token, order: TokenOrder): Promise<TokenResults[TokenOrder['verb']]> {
  if (order.verb === 'sign') return await to.sign(order.key, order.alg, order.digest);
  if (order.verb === 'generate') return await to.generate(order.key, order.alg);
  await to.destroy(order.key);
  return null;
}

function reply(message: TokenReply): void {
  if (process.connected) process.send?.(message);
}

function reportOf(error: unknown): TokenFailureReport {
  if (error instanceof TokenFailure) return { kind: error.kind, message: error.message };
  return { kind: 'token_lost', message: error instanceof Error ? error.message : String(error) };
}
