// The HTTP port: what the monitoring listener hands in and what it sends back. It keeps the documents free of sockets and streams.

export interface HttpRequest {
  /** Path and query as the request line has them, such as `/connz?subs=1`. */
  readonly target: string;
  readonly method: string;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers one request. A rejection becomes a 500 without a body and a line in the log. */
export type HttpHandler = (request: HttpRequest) => HttpReply | Promise<HttpReply>;
