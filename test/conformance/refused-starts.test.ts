/**
 * Starts that must not happen, on both servers: options that contradict each other, flags that miss something. Each ends with exit 1 and
 * a line that names the trouble; command lines that only show something end with exit 0.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';

const kinds: ReadonlyArray<readonly [ServerKind, string | false]> = [
  ['slipstream', false],
  ['nats-server', skipWithout('nats-server')],
];

const users = 'authorization { users: [{user: a, pass: b}] }';

const configurations: ReadonlyArray<readonly [config: string, says: RegExp]> = [
  ['max_payload: 70mb', /max_payload \(73400320\) cannot be higher than max_pending \(67108864\)/],
  ['lame_duck_duration: "30s", lame_duck_grace_period: "30s"', /lame duck grace period \(30s\) should be strictly lower/],
  ['http_port: -1, https_port: -1', /can't specify both HTTP \(-1\) and HTTPs \(-1\) ports/],
  ['https_port: -1', /TLS cert and key required for HTTPS/],
  ['no_auth_user: x', /no_auth_user: "x" present, but users\/nkeys are not defined/],
  [`no_auth_user: x, ${users}`, /no_auth_user: "x" not present as user or nkey/],
  ['system_account: X', /error resolving system account.*account missing/],
  ['websocket { port: -1 }', /websocket requires TLS configuration/],
  ['websocket { port: -1, no_tls: true, headers { Host: b } }', /websocket: invalid header "Host" not allowed/],
  ['websocket { port: -1, no_tls: true, jwt_cookie: x }', /trusted operators or trusted keys configuration is required/],
  ['jetstream { domain: "a.b" }', /invalid domain name: may not contain/],
  ['mqtt { port: -1 }', /mqtt requires JetStream to be enabled/],
  ['gateway { port: -1 }', /gateway has no name/],
  [
    'leafnodes { port: -1, authorization { account: Z, user: a } }',
    /cannot find local account "Z" specified in leafnode authorization/,
  ],
  ['accounts { A { users: [{user: a, pass: b}] }, B { users: [{user: a, pass: b}] } }', /duplicate user "a" detected/i],
  ['accounts { A { imports: [ {stream: {account: B, subject: s}} ] } }', /"B" account not defined for stream import/],
  ['tls { cert_file: "no.pem", key_file: "no.pem" }', /open no\.pem: no such file or directory/],
  ['include "no.conf"', /error parsing include file 'no\.conf'/],
  ['port: $NOT_DEFINED', /variable reference for 'NOT_DEFINED' on line 1 can not be found/],
];

const commandLines: ReadonlyArray<readonly [line: string, code: number, says: RegExp]> = [
  ['-v', 0, /^nats-server: v\d+\.\d+\.\d+\n$/],
  ['version', 0, /^nats-server: v\d+\.\d+\.\d+\n$/],
  ['--help', 0, /-p, --port <port>/],
  ['help', 0, /Usage/],
  ['-x', 0, /flag provided but not defined: -x/],
  ['-p', 0, /flag needs an argument: -p/],
  ['-p abc', 0, /invalid value "abc" for flag -p: parse error/],
  ['-D=maybe', 0, /invalid boolean value "maybe" for -D: parse error/],
  ['---p', 0, /bad flag syntax: ---p/],
  ['foo', 1, /unrecognized command: "foo"/],
  ['-D maybe', 1, /unrecognized command: "maybe"/],
  ['-t', 1, /must specify \[-c, --config\] option/],
  ['-c no.conf', 1, /open no\.conf: no such file or directory/],
  ['--routes nats://x:1', 1, /solicited routes require cluster capabilities/],
  ['--tls', 1, /TLS Server certificate must be present and valid/],
  ['--signal foo=999999', 1, /unknown signal "foo"/],
  ['--signal stop=no.pid', 1, /invalid pid: no\.pid/],
];

/** Without colours and the standing text of a log line. */
function plain(log: string): string {
  return log.replaceAll(/\u001b\[\d*m/g, '');
}

for (const [kind, skip] of kinds) {
  describe(`refused by ${kind}`, { skip }, () => {
    for (const [config, says] of configurations) {
      test(config, async () => {
        const server = ServerProcess.run(kind, ['-a', '127.0.0.1', '-p', '-1'], { config });
        const { code } = await server.exited;
        assert.equal(code, 1, server.log);
        assert.match(plain(server.log), says);
      });
    }

    for (const [line, expected, says] of commandLines) {
      test(`command line "${line}"`, async () => {
        const server = ServerProcess.run(kind, line.split(' '));
        const { code } = await server.exited;
        assert.equal(code, expected, server.log);
        assert.match(plain(server.log), says);
        // What is wrong with a flag comes with the help; both streams end up in one log, in any order.
        if (line.startsWith('-') && expected === 0 && !line.startsWith('-v')) assert.match(server.log, /Usage/);
      });
    }

    test('-t prints the digest of the file', async () => {
      const server = ServerProcess.run(kind, ['-t'], { config: 'port=4222' });
      const { code } = await server.exited;
      assert.equal(code, 0, server.log);
      const digest = 'sha256:797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e';
      assert.ok(server.log.includes(`server.conf is valid (${digest})`), server.log);
    });
  });
}
