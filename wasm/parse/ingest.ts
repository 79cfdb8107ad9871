// Ingest: bytes of one connection become operations. The bytes lie in the inbound region; an operation that is not there in full
// is carried over in a buffer of the connection, which first gets just what it lacks, so that everything else is read where it
// landed.
//
// `ingest` returns how many bytes it took. It stops early at a barrier (ring.ts) and when a budget is used up (bytes queued for
// receivers, ring words); the host then drains, flushes and calls again with the rest. After a stop the carry may hold operations
// too.

import { free, roundUp, tryAlloc } from '../lib/arena';
import { copy } from '../lib/bytes';
import { SLACK } from '../lib/layout';
import { ERROR_BAD_ARGUMENTS, ERROR_CONTROL_LINE, ERROR_PAYLOAD, ERROR_UNKNOWN_OPERATION } from '../lib/errors';
import { EVENT_CLIENT_ERROR, EVENT_CONNECT, EVENT_PING, EVENT_PONG, EVENT_TRACE_IN, EVENT_UNAUTHENTICATED } from '../lib/events';
import { memoryShort } from '../lib/pages';
import { pushEvent, raiseBarrier, ringNearlyFull, takeBarrier } from '../lib/ring';
import { producedBytes, resetProduced } from '../deliver/chain';
import { CLOSED, Connection, REPORT_PING, TRACE, UNAUTHENTICATED } from '../deliver/connection';
import { sendPong } from './answers';
import { raiseError } from './fault';
import { findLineFeed, lineEnd, readArguments, skipBlanks } from './line';
import { PUBLISHED, PUBLISH_INCOMPLETE, publish, publishEnd } from './publish';
import { subscribe, unsubscribe } from './subscribe';
import {
  VERB_CONNECT,
  VERB_ERR,
  VERB_HPUB,
  VERB_INCOMPLETE,
  VERB_INFO,
  VERB_PING,
  VERB_PONG,
  VERB_PUB,
  VERB_SUB,
  VERB_UNKNOWN,
  VERB_UNSUB,
  classify,
  verbEnd,
} from './verbs';

/** Bytes that one call may queue for receivers before the host must flush. */
const OUT_BUDGET: u32 = 4 << 20;
/** A carry buffer is first given what its operation needs up to this much, then twice what has really come. */
const CARRY_TRUSTED: u32 = 65536;
/** A carry buffer larger than this is given back as soon as it is empty. */
const CARRY_KEPT: u32 = 4096;

let stopped: bool = false;

/** Whether the last call stopped at a barrier or a budget, with bytes left to parse. */
export function ingestStopped(): bool {
  return stopped;
}

// @ts-ignore: decorator
@inline
function mustStop(connection: Connection): bool {
  return takeBarrier() || producedBytes() > OUT_BUDGET || ringNearlyFull() || (connection.flags & CLOSED) != 0;
}

/**
 * Parses operations from `at` to `end`; returns where it stopped. `need` says how many bytes from there an incomplete one takes.
 */
function run(connection: Connection, at: usize, end: usize): usize {
  connection.need = 0;
  while (at < end) {
    const traced: usize = connection.flags & TRACE ? beginTrace(connection) : 0;
    const next = operation(connection, at, end);
    if (!next) {
      // Incomplete, or waiting for authentication: nothing consumed.
      stopped = takeBarrier() || (connection.flags & CLOSED) != 0;
      return at;
    }
    if (traced) endTrace(traced, at, next);
    at = next;
    if (mustStop(connection)) {
      stopped = true;
      return at;
    }
  }
  return at;
}

/** An entry for an operation, in front of the entries it makes; without length until it was read. */
function beginTrace(connection: Connection): usize {
  const words = pushEvent(EVENT_TRACE_IN, 3);
  if (!words) return 0;
  store<u32>(words, connection.index);
  store<u64>(words, 0, 4);
  return words;
}

function endTrace(words: usize, at: usize, next: usize): void {
  raiseBarrier();
  store<u32>(words, <u32>at, 4);
  store<u32>(words, <u32>(next - at), 8);
}

function fail(connection: Connection, code: u32, at: usize, length: u32): usize {
  connection.flags |= CLOSED;
  raiseError(connection, code, at, length);
  return 0;
}

/** Whether the arguments between `at` and `end` are too long; a CR at the end is not counted. */
function overlong(connection: Connection, at: usize, end: usize): bool {
  const first = skipBlanks(at, end);
  const last = end > first && load<u8>(end - 1) == 13 ? end - 1 : end;
  return <u32>(last - first) > connection.maxControlLine;
}

/** One operation; returns where the next begins, or 0 when nothing could be consumed. */
function operation(connection: Connection, at: usize, end: usize): usize {
  const verb = classify(at, end);
  if (connection.flags & UNAUTHENTICATED && verb != VERB_CONNECT && (load<u8>(at) & 0xdf) != 0x43) {
    report(EVENT_UNAUTHENTICATED, connection);
    return 0;
  }
  if (verb == VERB_INCOMPLETE) return 0;
  if (verb == VERB_UNKNOWN) return fail(connection, ERROR_UNKNOWN_OPERATION, at, <u32>min(end - at, 32));
  if (verb == VERB_PUB || verb == VERB_HPUB || verb == VERB_SUB || verb == VERB_UNSUB) {
    const start = verbEnd;
    if (!readArguments(start, end)) {
      if (overlong(connection, start, end)) return fail(connection, ERROR_CONTROL_LINE, start, 0);
      return 0;
    }
    if (<u32>(lineEnd - start) > connection.maxControlLine && overlong(connection, start, lineEnd - 1))
      return fail(connection, ERROR_CONTROL_LINE, start, 0);
    if (verb <= VERB_HPUB) return published(connection, verb == VERB_HPUB, at, end);
    const next = lineEnd;
    const fine = verb == VERB_SUB ? subscribe(connection) : unsubscribe(connection);
    if (fine) return next;
    connection.flags |= CLOSED;
    return 0;
  }
  return plainLine(connection, verb, end);
}

function published(connection: Connection, headers: bool, at: usize, end: usize): usize {
  const outcome = publish(connection, headers, end);
  if (outcome == PUBLISHED) return publishEnd;
  if (outcome == PUBLISH_INCOMPLETE) connection.need = <u32>(publishEnd - at);
  else connection.flags |= CLOSED;
  return 0;
}

/** PING, PONG, CONNECT, INFO, +OK, -ERR: a verb and the rest of its line. */
function plainLine(connection: Connection, verb: u32, end: usize): usize {
  const start = skipBlanks(verbEnd, end);
  const lf = findLineFeed(start, end);
  const length = <u32>((lf > start && load<u8>(lf - 1) == 13 ? lf - 1 : lf) - start);
  if (length > connection.maxControlLine) return fail(connection, ERROR_CONTROL_LINE, start, 0);
  if (lf == end) return 0;
  if (verb == VERB_PING) {
    if (connection.flags & REPORT_PING) report(EVENT_PING, connection);
    else sendPong(connection);
  } else if (verb == VERB_PONG) {
    const words = pushEvent(EVENT_PONG, 1);
    if (words) store<u32>(words, connection.index);
  } else if (verb == VERB_CONNECT) {
    const words = pushEvent(EVENT_CONNECT, 3);
    if (words) {
      store<u32>(words, connection.index);
      store<u32>(words, <u32>start, 4);
      store<u32>(words, length, 8);
    }
    raiseBarrier();
  } else if (verb == VERB_ERR) {
    report(EVENT_CLIENT_ERROR, connection);
  } else if (verb == VERB_INFO && (!length || load<u8>(start) != 0x7b || load<u8>(start + length - 1) != 0x7d)) {
    return fail(connection, ERROR_BAD_ARGUMENTS, start, length);
  }
  return lf + 1;
}

function report(event: u32, connection: Connection): void {
  const words = pushEvent(event, 1);
  if (words) store<u32>(words, connection.index);
  raiseBarrier();
}

/** The first byte carried. */
// @ts-ignore: decorator
@inline
function carried(connection: Connection): usize {
  return connection.carry + connection.carryStart;
}

/** What a carry of `total` bytes should hold: a size that was only announced is not taken at its word. */
function carryRoom(connection: Connection, total: u32): usize {
  return <usize>max(total, min(connection.need, max(CARRY_TRUSTED, total << 1)));
}

function addToCarry(connection: Connection, at: usize, length: u32): void {
  const total = connection.carryLength + length;
  if (connection.carryStart + total > connection.carryCapacity) {
    if (total > connection.carryCapacity) {
      const capacity = <u32>roundUp(carryRoom(connection, total) + SLACK);
      let grown: usize = 0;
      if (!memoryShort() || total <= CARRY_TRUSTED) grown = tryAlloc(capacity);
      if (!grown) {
        fail(connection, ERROR_PAYLOAD, 0, total);
        stopped = true;
        return;
      }
      copy(grown, carried(connection), connection.carryLength);
      free(connection.carry);
      connection.carry = grown;
      connection.carryCapacity = capacity - <u32>SLACK;
    } else memory.copy(connection.carry, carried(connection), connection.carryLength);
    connection.carryStart = 0;
  }
  copy(carried(connection) + connection.carryLength, at, length);
  connection.carryLength = total;
}

/** Drops bytes from the front. They stay where they are until the next call, since ring entries may point to them. */
function consumeCarry(connection: Connection, length: u32): void {
  connection.carryStart += length;
  connection.carryLength -= length;
  if (!connection.carryLength) connection.carryStart = 0;
}

function releaseCarry(connection: Connection): void {
  if (connection.carryLength || connection.carryCapacity <= CARRY_KEPT) return;
  free(connection.carry);
  connection.carry = 0;
  connection.carryCapacity = 0;
}

/** How many of the new bytes the carried operation takes: what it lacks, or up to the end of its line. */
function lacking(connection: Connection, at: usize, end: usize): u32 {
  if (connection.need > connection.carryLength) return <u32>min(<usize>(connection.need - connection.carryLength), end - at);
  const lf = findLineFeed(at, end);
  return <u32>((lf < end ? lf + 1 : end) - at);
}

/** Parses the carry until it is empty. Returns how many new bytes it took up; `stopped` says whether it came to a stop. */
function ingestCarry(connection: Connection, from: usize, end: usize): u32 {
  let at = from;
  while (connection.carryLength) {
    const carry = carried(connection);
    const consumed = <u32>(run(connection, carry, carry + connection.carryLength) - carry);
    consumeCarry(connection, consumed);
    if (stopped || !connection.carryLength || at >= end) break;
    const length = lacking(connection, at, end);
    addToCarry(connection, at, length);
    if (stopped) break;
    at += length;
  }
  return <u32>(at - from);
}

/**
 * Takes `length` bytes at `at` for a connection. Returns how many were taken up; fewer than `length` only when `ingestStopped`.
 */
export function ingest(connection: Connection, at: usize, length: u32): u32 {
  const end = at + length;
  let p = at;
  stopped = false;
  takeBarrier();
  resetProduced();
  if (connection.flags & CLOSED) return length;
  if (connection.carryLength) {
    p += ingestCarry(connection, p, end);
    if (stopped) return <u32>(p - at);
    releaseCarry(connection);
  }
  if (p < end) {
    p = run(connection, p, end);
    if (stopped) return <u32>(p - at);
    if (p < end) addToCarry(connection, p, <u32>(end - p));
  }
  return length;
}

/** Keeps bytes for later without parsing: what the host could not hand over while it waits for a decision. */
export function stash(connection: Connection, at: usize, length: u32): void {
  connection.need = 0;
  if (length) addToCarry(connection, at, length);
}
