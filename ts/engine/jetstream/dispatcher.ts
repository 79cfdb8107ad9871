// Takes API requests off the wire: finds the row of the subject, runs the handler, sends the response, counts and audits.

import { isLevelRefused } from '../../core/jetstream/api-level.ts';
import { findApiRoute, responseType, type ApiHandlerId, type ApiRoute } from '../../core/jetstream/api.ts';
import { advisoryOf } from '../../core/jetstream/advisories.ts';
import { apiError } from '../../core/jetstream/errors.ts';
import { encodeBehind, encodeJson } from '../../core/jetstream/json.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import { accountInfo } from './account-handlers.ts';
import type { JetStreamAccount } from './account.ts';
import * as actions from './consumer-actions.ts';
import * as consumers from './consumer-handlers.ts';
import * as messages from './message-handlers.ts';
import type { ApiQueue, ApiQueueName } from './api-queue.ts';
import { apiSubjects, heardSubjects } from './api-subjects.ts';
import type { InboundMessage, ServerSubscription } from './ports.ts';
import { ApiRefusal, isEmptyRequest, isFault, type Answer, type ApiHandler } from './request.ts';
import { requesterOf } from './requester.ts';
import { restore } from './restore-handler.ts';
import { snapshot } from './snapshot-handler.ts';
import * as streams from './stream-handlers.ts';

const auditSubject = advisoryOf('apiAudit').subject;
const decoder = new TextDecoder();

const clusterRequired: ApiHandler = () => ({ error: apiError('ClusterRequiredErr') });

const handlers: Readonly<Partial<Record<ApiHandlerId, ApiHandler>>> = {
  accountInfo,
  streamCreate: streams.create,
  streamUpdate: streams.update,
  streamNames: streams.names,
  streamList: streams.list,
  streamInfo: streams.info,
  streamDelete: streams.remove,
  streamPurge: streams.purge,
  streamSnapshot: snapshot,
  streamRestore: restore,
  streamPeerRemove: clusterRequired,
  streamStepdown: clusterRequired,
  messageGet: messages.get,
  messageDelete: messages.remove,
  consumerCreate: consumers.create,
  consumerDurableCreate: consumers.createDurable,
  consumerNames: consumers.names,
  consumerList: consumers.list,
  consumerInfo: consumers.info,
  consumerDelete: consumers.remove,
  consumerPause: actions.pause,
  consumerReset: actions.reset,
  consumerUnpin: actions.unpin,
  consumerStepdown: clusterRequired,
};

/** What is refused when the memory is short: it makes something that stays. */
const growing: ReadonlySet<string> = new Set(['streamCreate', 'consumerCreate', 'consumerDurableCreate', 'streamRestore']);

export class ApiDispatcher {
  readonly #account: JetStreamAccount;
  readonly #queue: ApiQueue;
  readonly #subscriptions: ServerSubscription[] = [];
  /** The route found last: many requests are for the same subject, one after the other. */
  #latest: { readonly subject: string; readonly route: ApiRoute | undefined } = { subject: '', route: undefined };

  constructor(account: JetStreamAccount, queue: ApiQueue) {
    this.#account = account;
    this.#queue = queue;
  }

  open(): void {
    const { ports, number, settings } = this.#account;
    const { door } = ports;
    this.#subscriptions.push(door.hear(number, heardSubjects(settings.domain)));
    for (const prefix of this.#account.apiPrefixes) {
      for (const subject of apiSubjects) {
        const call = (message: InboundMessage): void => this.#receive(message, prefix);
        this.#subscriptions.push(door.subscribe(number, `${prefix}.${subject}`, call));
      }
    }
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.cancel();
    this.#subscriptions.length = 0;
  }

  #receive(message: InboundMessage, prefix: string): void {
    const route = this.#routeOf(message.subject, prefix);
    if (route === undefined || !this.#queue.take(lineOf(route))) return;
    if (route.row.unnoticed !== true) this.#account.apiTotal += 1;
    const client = this.#clientOf(message);
    this.#queue.line.take(() => this.#serve(route, message, client));
  }

  #serve(route: ApiRoute, message: InboundMessage, client: Document | undefined): void {
    if (this.#subscriptions.length === 0) return this.#queue.answered(lineOf(route));
    const works = this.#account.streams.get(route.parts[0] ?? '')?.store.works;
    if (works?.any === true) return works.whenFree(() => this.#queue.line.take(() => this.#serve(route, message, client)));
    const answer = this.#run(route, message);
    if (!(answer instanceof Promise)) return this.#respond(route, message, client, answer);
    answer.then(
      (later) => this.#account.ports.door.soon(() => this.#respond(route, message, client, later)),
      (thrown: unknown) => {
        this.#queue.answered(lineOf(route));
        this.#account.ports.log.error(`JetStream API ${message.subject}: ${String(thrown)}`);
      },
    );
  }

  #routeOf(subject: string, prefix: string): ApiRoute | undefined {
    if (this.#latest.subject !== subject)
      this.#latest = { subject, route: findApiRoute(`$JS.API${subject.slice(prefix.length)}`) };
    return this.#latest.route;
  }

  #run({ row, parts }: ApiRoute, message: InboundMessage): Answer | undefined | Promise<Answer | undefined> {
    const handler = handlers[row.handler];
    if (handler === undefined) return undefined;
    if (message.headers.length > 0 && isLevelRefused(message.headers)) return { error: apiError('RequiredApiLevelErr') };
    if (growing.has(row.handler) && this.#account.ports.store.isMemoryShort)
      return { error: apiError('InsufficientResourcesErr') };
    const request = { account: this.#account, message, parts };
    if (row.bare === true && !isEmptyRequest(request)) return { error: apiError('NotEmptyRequestErr') };
    try {
      const answer = handler(request);
      return answer instanceof Promise ? answer.catch((thrown: unknown) => this.#refusal(message, thrown)) : answer;
    } catch (thrown) {
      return this.#refusal(message, thrown);
    }
  }

  /** What a handler threw, as an answer; our own bugs go on. */
  #refusal({ subject }: InboundMessage, thrown: unknown): Answer {
    if (thrown instanceof ApiRefusal) return { error: thrown.error };
    if (!isFault(thrown)) throw thrown;
    this.#account.ports.log.error(`JetStream API ${subject}: ${thrown.message}`);
    return { error: apiError('StreamGeneralErrorF', { err: thrown.message }) };
  }

  /** Who asks, as the audit tells; looked up before the connection may have gone. Undefined: nobody listens to the audit. */
  #clientOf(message: InboundMessage): Document | undefined {
    const { ports, number } = this.#account;
    return ports.door.hasInterest(number, auditSubject) ? requesterOf(this.#account, message) : undefined;
  }

  #respond(route: ApiRoute, message: InboundMessage, client: Document | undefined, answer: Answer | undefined): void {
    if (answer === undefined) return this.#queue.answered(lineOf(route));
    const { row } = route;
    const isError = 'error' in answer;
    if (isError && answer.isCounted !== false && row.unnoticed !== true) this.#account.apiErrors += 1;
    const isTold = row.unnoticed !== true && (row.tellsErrors !== true || isError);
    if (row.unnoticed !== true && !isTold) this.#account.apiTotal -= 1;
    const { door } = this.#account.ports;
    const send = (): void => {
      this.#queue.answered(lineOf(route));
      const text = textOf(route, answer);
      if (message.reply !== '') door.publish(this.#account.number, message.reply, '', undefined, text);
      if (isTold && client !== undefined) this.#audit(message, client, text);
    };
    if (answer.after === undefined) send();
    else answer.after.whenSynced(send, (fault) => this.#respond(route, message, client, this.#afterFault(route, message, fault)));
  }

  /** The stream stopped writing while an answer waited: what only asks is asked anew, of what is on disk; a change has failed. */
  #afterFault(route: ApiRoute, message: InboundMessage, fault: Error): Answer {
    const again = route.row.asks === true ? this.#run(route, message) : undefined;
    if (again !== undefined && !(again instanceof Promise)) {
      const { after: _, ...answer } = again;
      return answer;
    }
    return { error: apiError('StreamGeneralErrorF', { err: fault.message }) };
  }

  #audit(message: InboundMessage, client: Document, response: string): void {
    const request = decoder.decode(message.payload);
    this.#account.advise('apiAudit', {
      server: this.#account.settings.serverName,
      client,
      subject: message.subject,
      request: request === '' ? undefined : request,
      response,
    });
  }
}

function lineOf({ row }: ApiRoute): ApiQueueName {
  return row.asks === true ? 'infos' : 'changes';
}

/** The response as it is sent. */
function textOf({ row }: ApiRoute, answer: Answer): string {
  if ('text' in answer) return answer.text;
  const type = responseType(row.type ?? '');
  if ('error' in answer) return encodeJson({ type, error: answer.error, ...row.withError, ...answer.fields });
  return encodeBehind(`"type":"${type}"`, typeof answer.fields === 'function' ? answer.fields() : answer.fields);
}
