/** What a load generator is told to do, and what it tells back. */
import type { Run } from '../rounds.ts';
import type { ExpectedStatus } from './answer-reader.ts';

export interface LoadPlan {
  /** On the loopback interface. */
  port: number;
  /** Value of the Host header. */
  host: string;
  /** Paths with queries; requests choose among them. */
  paths: readonly string[];
  /** Where given, paths are asked by POST with these forms, path by path. */
  forms?: readonly string[];
  /** The same with JSON, and sampled bodies must be decisions that allow. */
  jsonBodies?: readonly string[];
  /** Of every request. */
  headers?: Readonly<Record<string, string>>;
  /** Where given, sampled bodies must be statements with this `sub`, path by path. */
  subjects?: readonly string[];
  /** Of every answer; 200 unless given. */
  status?: ExpectedStatus;
  /** Bodies may differ in size, such as those with a signature in DER. */
  isOfAnySize?: boolean;
  connections: number;
  /** Requests that a connection sends ahead of their answers. */
  pipelining: number;
  /** Process that answers, to know how busy it is. */
  serverPid: number;
}

export type LoadCommand =
  | { kind: 'plan'; plan: LoadPlan }
  /** Paths drawn at random, for so many seconds. */
  | { kind: 'random'; seconds: number }
  /** Every path once, in their order. */
  | { kind: 'each-once' };

/** Answers up to the end of the run, with the computing time of the server. */
export interface LoadResult extends Run {
  generatorCpuSeconds: number;
  /** Bodies that were looked into. */
  sampledBodies: number;
}

export type LoadReply =
  | { kind: 'planned' }
  | { kind: 'measured'; result: LoadResult }
  | { kind: 'failed'; message: string };
