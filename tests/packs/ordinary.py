"""Lines of an ordinary day, of every program that the packs are about: nobody should be called for any of them."""

from __future__ import annotations

from itertools import product

DAY = "2026-11-23"


def benign() -> str:
    """Some thousands of lines, a round of them every ten minutes from 03:00 to 09:00."""
    minutes = [f"{hour:02d}:{minute:02d}" for hour, minute in product(range(3, 9), range(0, 60, 10))]
    return "\n".join(_at(line, t, 7000 + n) for n, t in enumerate(minutes) for line in ORDINARY)


def _at(line: str, t: str, n: int) -> str:
    return line.replace("{t}", t).replace("{n}", str(n))


WEB = (
    "2026/11/23 {t}:41 [notice] 611#611: signal process started, worker process {n} exited with code 0",
    "2026/11/23 {t}:41 [warn] 611#611: *{n} an upstream response is buffered to a temporary file "
    "/var/lib/nginx/proxy/1/00/0000000001 while reading upstream, client: 203.0.113.7, server: shop.example",
    '2026/11/23 {t}:41 [error] 611#611: *{n} open() "/srv/www/favicon.ico" failed (2: No such file or directory), '
    'client: 203.0.113.7, server: shop.example, request: "GET /favicon.ico HTTP/1.1", host: "shop.example"',
    "2026/11/23 {t}:41 [info] 611#611: *{n} client 203.0.113.7 closed keepalive connection",
    "2026/11/23 {t}:41 [crit] 611#611: *{n} SSL_do_handshake() failed (SSL: error:0A00006C:SSL routines::bad key "
    "share) while SSL handshaking, client: 203.0.113.7, server: 0.0.0.0:443",
    '203.0.113.7 - - [23/Nov/2026:{t}:41 +0000] "GET /orders/{n} HTTP/1.1" 200 5120 '
    '"https://shop.example/" "Mozilla/5.0"',
    "[Mon Nov 23 {t}:41.250000 2026] [mpm_event:notice] [pid {n}:tid 1] AH00489: Apache/2.4.62 (Debian) configured "
    "-- resuming normal operations",
    "[Mon Nov 23 {t}:41.250000 2026] [authz_core:error] [pid {n}:tid 7] [client 203.0.113.7:4711] AH01630: client "
    "denied by server configuration: /srv/www/.git",
    "[Mon Nov 23 {t}:41.250000 2026] [ssl:info] [pid {n}:tid 7] [client 203.0.113.7:4711] AH01964: Connection to "
    "child 3 established (server shop.example:443)",
    "[Mon Nov 23 {t}:41.250000 2026] [php:warn] [pid {n}:tid 7] [client 203.0.113.7:4711] PHP Warning:  Undefined "
    "variable $page in /srv/www/index.php on line 7",
    "Nov 23 {t}:41 lb1 haproxy[{n}]: 203.0.113.7:41234 [23/Nov/2026:{t}:41.118] www~ shop/web1 0/0/1/12/13 200 "
    "5120 - - "
    '---- 12/12/1/1/0 0/0 "GET /orders/{n} HTTP/1.1"',
    "Nov 23 {t}:41 lb1 haproxy[{n}]: Connect from 203.0.113.7:41234 to 10.0.0.1:443 (www/HTTP)",
    "Nov 23 {t}:41 lb1 haproxy[{n}]: 203.0.113.7:41234 [23/Nov/2026:{t}:41.118] www/1: SSL handshake failure",
    'time="2026-11-23T{t}:41Z" level=info msg="Configuration loaded from file: /etc/traefik/traefik.yml"',
    "2026-11-23T{t}:41Z INF Traefik version 3.2.1 built on 2026-10-01T00:00:00Z version=3.2.1",
    "2026-11-23T{t}:41Z DBG Service selected by WRR: http://10.0.0.7:8080",
    '{"level":"info","ts":1795403561.118,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":'
    '"203.0.113.7","method":"GET","host":"shop.example","uri":"/"},"duration":0.012,"status":200}',
    '{"level":"info","ts":1795403561.118,"logger":"tls","msg":"storage cleaning happening too soon; skipping for now"}',
    '{"level":"warn","ts":1795403561.118,"logger":"http","msg":"HTTP/2 skipped because it requires TLS"}',
    "[2026-11-23 {t}:41.118][1][info][upstream] [source/common/upstream/cds_api_helper.cc:32] cds: add 3 cluster(s), "
    "remove 0 cluster(s)",
    "[2026-11-23 {t}:41.118][1][warning][main] [source/server/server.cc:864] there is no configured limit to the "
    "number of allowed active downstream connections.",
    "2026/11/23 {t}:41 kid1| storeDirWriteCleanLogs: Starting...",
    "2026/11/23 {t}:41 kid1| Logfile: closing log daemon:/var/log/squid/access.log",
    "2026/11/23 {t}:41| Set Current Directory to /var/spool/squid",
    "1795403561.118     41 10.0.0.9 TCP_TUNNEL/200 5120 CONNECT shop.example:443 ann HIER_DIRECT/203.0.113.7 -",
)

DATABASES = (
    "2026-11-23 {t}:41.250 UTC [{n}] LOG:  checkpoint complete: wrote 41 buffers (0.3%); 0 WAL file(s) added",
    '2026-11-23 {t}:41.250 UTC [{n}] app@shop ERROR:  duplicate key value violates unique constraint "orders_pkey"',
    "2026-11-23 {t}:41.250 UTC [{n}] app@shop LOG:  duration: 412.1 ms  statement: SELECT 1",
    "2026-11-23 {t}:41.250 UTC [{n}] app@shop LOG:  could not receive data from client: Connection reset by peer",
    '2026-11-23 {t}:41.250 UTC [{n}] LOG:  automatic vacuum of table "shop.public.orders": index scans: 0',
    "2026-11-23T{t}:41.118312Z {n} [Note] [MY-010051] [Server] Event Scheduler: scheduler thread started with id 5",
    "2026-11-23T{t}:41.118312Z {n} [Warning] [MY-013360] [Server] Plugin mysql_native_password reported: "
    "'mysql_native_password' is deprecated and will be removed in a future release",
    "2026-11-23 {t}:41 {n} [Note] InnoDB: Buffer pool(s) load completed at 261123 {t}:41",
    "2026-11-23 {t}:41 {n} [Warning] Aborted connection {n} to db: 'shop' user: 'app' host: '10.0.0.9' (Got timeout "
    "reading communication packets)",
    '{"t":{"$date":"2026-11-23T{t}:41.118+00:00"},"s":"I",  "c":"NETWORK",  "id":22943,   "ctx":"listener","msg":'
    '"Connection accepted","attr":{"remote":"10.0.0.9:41234","connectionId":{n},"connectionCount":12}}',
    '{"t":{"$date":"2026-11-23T{t}:41.118+00:00"},"s":"I",  "c":"COMMAND",  "id":51803,   "ctx":"conn{n}","msg":'
    '"Slow query","attr":{"type":"command","ns":"shop.orders","durationMillis":212}}',
    '{"t":{"$date":"2026-11-23T{t}:41.118+00:00"},"s":"I",  "c":"WTCHKPT",  "id":22430,   "ctx":"Checkpointer","msg":'
    '"WiredTiger message","attr":{"message":{"ts_sec":1795403561,"msg":"saving checkpoint snapshot min: 41"}}}',
    "812:M 23 Nov 2026 {t}:41.118 * 100 changes in 300 seconds. Saving...",
    "812:M 23 Nov 2026 {t}:41.118 * Background saving started by pid {n}",
    "{n}:C 23 Nov 2026 {t}:41.118 * DB saved on disk",
    "812:M 23 Nov 2026 {t}:41.118 * Background saving terminated with success",
    "812:M 23 Nov 2026 {t}:41.118 # Client id={n} addr=10.0.0.9:41234 closed connection",
    '{"type": "server", "timestamp": "2026-11-23T{t}:41,118Z", "level": "INFO", "component": '
    '"o.e.c.m.MetadataIndexTemplateService", "cluster.name": "shop", "node.name": "es1", "message": "adding template '
    '[logs] for index patterns [logs-*]" }',
    '{"@timestamp":"2026-11-23T{t}:41.118Z", "log.level": "INFO", "message":"[gc][{n}] overhead, spent [251ms] '
    'collecting in the last [1s]", "service.name":"ES_ECS","event.dataset":"elasticsearch.server"}',
    "2026.11.23 {t}:41.118312 [ {n} ] {} <Information> Application: Ready for connections.",
    "2026.11.23 {t}:41.118312 [ {n} ] {5c1e} <Error> executeQuery: Code: 60. DB::Exception: Table shop.order does not "
    "exist. (UNKNOWN_TABLE) (version 24.8.4.13) (from 10.0.0.9:41234) (in query: SELECT 1 FROM shop.order)",
    '{"level":"info","ts":"2026-11-23T{t}:41.118Z","caller":"mvcc/index.go:214","msg":"compact tree index",'
    '"revision":{n}}',
    '{"level":"info","ts":"2026-11-23T{t}:41.118Z","caller":"traceutil/trace.go:171","msg":"trace[{n}] range",'
    '"detail":"{range_begin:/registry/pods}","duration":"112ms"}',
    "Nov 23 {t}:41 db1 memcached[{n}]: slab class   1: chunk size        96 perslab   10922",
)

QUEUES = (
    "2026-11-23 {t}:41.118312+00:00 [info] <0.{n}.0> accepting AMQP connection <0.{n}.0> (10.0.0.9:41234 -> "
    "10.0.0.5:5672)",
    "2026-11-23 {t}:41.118312+00:00 [warning] <0.{n}.0> closing AMQP connection <0.{n}.0> (10.0.0.9:41234 -> "
    "10.0.0.5:5672, vhost: 'shop', user: 'app'):",
    "[2026-11-23 {t}:41,118] INFO [GroupCoordinator 1]: Stabilized group shop generation {n} "
    "(__consumer_offsets-7) (kafka.coordinator.group.GroupCoordinator)",
    "[2026-11-23 {t}:41,118] INFO [LocalLog partition=orders-0, dir=/var/lib/kafka] Rolled new log segment at "
    "offset {n} in 3 ms. (kafka.log.LocalLog)",
    "[2026-11-23 {t}:41,118] WARN [SocketServer listenerType=BROKER, nodeId=1] Unexpected error from /10.0.0.9 "
    "(channelId=10.0.0.5:9092-10.0.0.9:41234-1); closing connection (org.apache.kafka.common.network.Selector)",
    "[611] 2026/11/23 {t}:41.118312 [INF] 10.0.0.9:41234 - cid:{n} - Client connection closed: Client Closed",
    "[611] 2026/11/23 {t}:41.118312 [INF] Server is ready",
)

RUNTIMES = (
    "2026-11-23 {t}:41,123 INFO shop.orders: order {n} paid",
    "2026-11-23 {t}:41,123 ERROR shop.mail: message {n} bounced: mailbox unavailable",
    "[2026-11-23 {t}:41 +0000] [1637] [INFO] Booting worker with pid: {n}",
    "[2026-11-23 {t}:41 +0000] [{n}] [INFO] Worker exiting (pid: {n})",
    'INFO:     203.0.113.7:41234 - "GET /healthz HTTP/1.1" 200 OK',
    "INFO:     Application startup complete.",
    "Traceback (most recent call last):\n"
    "  File \"/srv/shop/pay.py\", line 41, in pay\n    charge()\nKeyError: 'amount'",
    "[2026-11-23 {t}:41,118: INFO/MainProcess] Task shop.mail.send[0aebd1c2-7f0a-4b43-93d5-d50a3a0e9f4e] received",
    "[2026-11-23 {t}:41,118: INFO/ForkPoolWorker-2] Task shop.mail.send[0aebd1c2-7f0a-4b43-93d5-d50a3a0e9f4e] "
    "succeeded in 0.31s: None",
    "[2026-11-23 {t}:41,118: WARNING/ForkPoolWorker-2] shop.mail: a second try",
    "Not Found: /favicon.ico",
    '[23/Nov/2026 {t}:41] "GET /favicon.ico HTTP/1.1" 404 2310',
    "Forbidden (CSRF cookie not set.): /login/",
    '{"level":30,"time":1795403561118,"pid":{n},"hostname":"web1","msg":"request completed"}',
    "(node:{n}) [DEP0040] DeprecationWarning: The `punycode` module is deprecated.",
    "Server listening on http://0.0.0.0:3000",
    "2026-11-23T{t}:41: PM2 log: App [shop:0] starting in -cluster mode-",
    "2026-11-23T{t}:41: PM2 log: App [shop:0] online",
    "2026-11-23 {t}:41.118  INFO {n} --- [nio-8080-exec-1] c.example.shop.Orders : order {n} paid",
    "2026-11-23 {t}:41.118  WARN {n} --- [nio-8080-exec-1] .w.s.m.s.DefaultHandlerExceptionResolver : Resolved "
    "[org.springframework.web.HttpRequestMethodNotSupportedException: Request method 'POST' is not supported]",
    "23-Nov-2026 {t}:41.118 INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [4120] "
    "milliseconds",
    "[{t}:41.118s][info][gc] GC({n}) Pause Young (Normal) (G1 Evacuation Pause) 512M->128M(1024M) 12.118ms",
    "[23-Nov-2026 {t}:41] NOTICE: [pool www] child {n} exited with code 0 after 300.118312 seconds from start",
    "[23-Nov-2026 {t}:41 UTC] PHP Warning:  Undefined array key 7 in /srv/www/index.php on line 7",
    "[23-Nov-2026 {t}:41] NOTICE: ready to handle connections",
    "[{n}] - Worker 0 (PID: {n}) booted in 1.2s, phase: 0",
    "I, [2026-11-23T{t}:41.118312 #{n}]  INFO -- : [0aebd1c2] Completed 200 OK in 12ms (Views: 8.1ms)",
    "E, [2026-11-23T{t}:41.118312 #{n}] ERROR -- : card declined for order {n}",
    "2026/11/23 {t}:41 http: TLS handshake error from 203.0.113.7:41234: EOF",
    '{"time":"2026-11-23T{t}:41.118Z","level":"INFO","msg":"order paid","order":{n}}',
    "info: Microsoft.Hosting.Lifetime[14]\n      Now listening on: http://localhost:5000",
    "warn: Microsoft.AspNetCore.HttpsPolicy.HttpsRedirectionMiddleware[3]\n      Failed to determine the https "
    "port for redirect.",
    "[pid: {n}|app: 0|req: 1/1] 203.0.113.7 () {42 vars in 812 bytes} [Mon Nov 23 {t}:41 2026] GET /orders => "
    "generated 5120 bytes in 12 msecs (HTTP/1.1 200) 3 headers in 100 bytes (1 switches on core 0)",
    "Mon Nov 23 {t}:41 2026 - spawned uWSGI worker 1 (pid: {n}, cores: 1)",
    "2026-11-23 {t}:41,118 INFO spawned: 'shop' with pid {n}",
    "2026-11-23 {t}:41,118 INFO success: shop entered RUNNING state, process has stayed up for > than 1 seconds",
)

CONTAINERS = (
    'Nov 23 {t}:41 node1 dockerd[{n}]: time="2026-11-23T{t}:41.118312Z" level=info msg="ignoring event" '
    'container=5f1e module=libcontainerd namespace=moby topic=/tasks/delete type="*events.TaskDelete"',
    'Nov 23 {t}:41 node1 dockerd[{n}]: time="2026-11-23T{t}:41.118312Z" level=info msg="Container failed to exit '
    'within 10s of signal 15 - using the force" container=5f1e',
    'Nov 23 {t}:41 node1 containerd[{n}]: time="2026-11-23T{t}:41.118312Z" level=info msg="PullImage '
    '\\"registry.example/shop:7\\" returns image reference"',
    'Nov 23 {t}:41 node1 containerd[{n}]: time="2026-11-23T{t}:41.118312Z" level=info msg="shim disconnected" id=5f1e',
    'Nov 23 {t}:41 node1 kubelet[{n}]: I1123 {t}:41.118312    {n} kubelet.go:2407] "SyncLoop ADD" source="api" '
    'pods=["shop/web-7"]',
    'Nov 23 {t}:41 node1 kubelet[{n}]: I1123 {t}:41.118312    {n} prober.go:107] "Probe failed" '
    'probeType="Readiness" pod="shop/web-7" podUID="0aebd1c2" containerName="web" probeResult="failure" output="HTTP '
    'probe failed with statuscode: 503"',
    "Nov 23 {t}:41 node1 podman[{n}]: 2026-11-23 {t}:41.118312 +0000 UTC m=+0.041 container start 5f1e "
    "(image=registry.example/shop:7, name=shop)",
)

HOST = (
    "Nov 23 {t}:41 web1 systemd[1]: Starting logrotate.service - Rotate log files...",
    "Nov 23 {t}:41 web1 systemd[1]: logrotate.service: Deactivated successfully.",
    "Nov 23 {t}:41 web1 systemd[1]: app.service: Scheduled restart job, restart counter is at 1.",
    "Nov 23 {t}:41 web1 systemd[1]: Reloading.",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] XFS (sdb1): Ending clean mount",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] BTRFS info (device sdc1): using free space tree",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] eth0: renamed from veth1a2b3c",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] [UFW BLOCK] IN=eth0 OUT= SRC=203.0.113.9 DST=10.0.0.1 PROTO=TCP DPT=23",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] usb 1-1: new high-speed USB device number 4 using xhci_hcd",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] nvme nvme0: 8/0/0 default/read/poll queues",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] md: data-check of RAID array md0",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] md: md0: data-check done.",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] perf: interrupt took too long (2508 > 2500), lowering rate",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] docker0: port 1(veth1a2b3c) entered forwarding state",
    "Nov 23 {t}:41 web1 sshd[{n}]: Failed password for invalid user admin from 203.0.113.9 port 4711 ssh2",
    "Nov 23 {t}:41 web1 sshd[{n}]: Connection closed by authenticating user root 203.0.113.9 port 4711 [preauth]",
    "Nov 23 {t}:41 web1 sshd[{n}]: Accepted publickey for ann from 10.0.0.9 port 41234 ssh2: ED25519 SHA256:abc",
    "Nov 23 {t}:41 web1 sshd[{n}]: banner exchange: Connection from 203.0.113.9 port 4711: invalid format",
    "Nov 23 {t}:41 web1 sshd[{n}]: Received disconnect from 203.0.113.9 port 4711:11: Bye Bye [preauth]",
    "Nov 23 {t}:41 web1 sudo:      ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/systemctl status",
    "Nov 23 {t}:41 web1 sudo: pam_unix(sudo:session): session opened for user root(uid=0) by ann(uid=1000)",
    "Nov 23 {t}:41 web1 su[{n}]: (to root) ann on pts/0",
    "Nov 23 {t}:41 web1 CRON[{n}]: (root) CMD (test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily)",
    "Nov 23 {t}:41 web1 CRON[{n}]: pam_unix(cron:session): session opened for user root(uid=0) by root(uid=0)",
    "Nov 23 {t}:41 web1 crond[{n}]: (*system*) RELOAD (/etc/cron.d/backup)",
    "Nov 23 {t}:41 web1 anacron[{n}]: Job `cron.daily' terminated",
    "Nov 23 {t}:41 web1 chronyd[{n}]: Selected source 198.51.100.7 (ntp.example)",
    "Nov 23 {t}:41 web1 systemd-timesyncd[{n}]: Contacted time server 198.51.100.7:123 (ntp.example).",
    "Nov 23 {t}:41 web1 logrotate[{n}]: reading config file /etc/logrotate.d/nginx",
    "2026-11-23 {t}:41,118 INFO No packages found that can be upgraded unattended and no pending auto-removals",
    "2026-11-23 {t}:41,118 INFO Allowed origins are: o=Debian,n=bookworm, o=Debian,n=bookworm,l=Debian-Security",
    "Setting up curl (7.88.1-10+deb12u8) ...",
    "2026-11-23T{t}:41+0000 INFO --- logging initialized ---",
    "2026-11-23T{t}:41+0000 SUBDEBUG Upgrade: curl-8.6.0-7.el10.x86_64",
    "2026-11-23 {t}:41,118:INFO:certbot._internal.renewal:Cert not yet due for renewal",
    "Nov 23 {t}:41 web1 systemd-resolved[{n}]: Using degraded feature set UDP instead of UDP+EDNS0 for DNS server "
    "10.0.0.1.",
    "Nov 23 {t}:41 web1 systemd-resolved[{n}]: Clock change detected. Flushing caches.",
    "Nov 23 {t}:41 ns1 named[{n}]: client @0x7f1e 10.0.0.9#41234 (shop.example): query: shop.example IN A +E(0)K "
    "(10.0.0.1)",
    "Nov 23 {t}:41 ns1 named[{n}]: zone shop.example/IN: loaded serial 2026112301",
    "Nov 23 {t}:41 ns1 named[{n}]: lame server resolving 'x.example' (in 'x.example'?): 198.51.100.7#53",
    "Nov 23 {t}:41 ns1 unbound[{n}]: [{n}:0] info: service stopped (unbound 1.19.2).",
    "Nov 23 {t}:41 ns1 unbound[{n}]: [{n}:0] info: generate keytag query _ta-4f66. NULL IN",
    "Nov 23 {t}:41 mx1 postfix/smtpd[{n}]: connect from unknown[203.0.113.9]",
    "Nov 23 {t}:41 mx1 postfix/smtpd[{n}]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <x@y.example>: "
    "Relay access denied; from=<a@b.example> to=<x@y.example> proto=ESMTP helo=<z>",
    "Nov 23 {t}:41 mx1 postfix/smtpd[{n}]: warning: hostname x.example does not resolve to address 203.0.113.9",
    "Nov 23 {t}:41 mx1 postfix/smtp[{n}]: 4XyZ: to=<ann@shop.example>, relay=mx.shop.example[198.51.100.7]:25, "
    "delay=0.4, delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4XyA)",
    "Nov 23 {t}:41 mx1 postfix/qmgr[{n}]: 4XyZ: removed",
    "Nov 23 {t}:41 mx1 dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=10.0.0.9, lip=10.0.0.1, mpid={n}, TLS",
    "Nov 23 {t}:41 mx1 dovecot: imap(ann)<{n}><AbCdEf>: Disconnected: Logged out in=41 out=512 deleted=0 expunged=0",
    "Nov 23 {t}:41 mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<bob>, "
    "method=PLAIN, rip=203.0.113.9, lip=10.0.0.1",
    "Nov 23 {t}:41 nas1 zed[{n}]: eid={n} class=scrub_finish pool='tank'",
    "Nov 23 {t}:41 nas1 rpc.mountd[{n}]: authenticated mount request from 10.0.0.9:1001 for /srv/share (/srv/share)",
    "Nov 23 {t}:41 nas1 multipathd[{n}]: mpatha: performing delayed actions",
    "Nov 23 {t}:41 nas1 smartd[{n}]: Device: /dev/sda [SAT], SMART Usage Attribute: 194 Temperature_Celsius "
    "changed from 112 to 113",
    "Nov 23 {t}:41 nas1 smartd[{n}]: Device: /dev/sda [SAT], self-test in progress, 90% remaining",
    "Nov 23 {t}:41 nas1 mdadm[{n}]: RebuildFinished event detected on md device /dev/md0",
    "2026-11-23 {t}:41,118 fail2ban.filter         [611]: INFO    [sshd] Found 203.0.113.9 - 2026-11-23 {t}:41",
    "2026-11-23 {t}:41,118 fail2ban.actions        [611]: NOTICE  [sshd] Ban 203.0.113.9",
    "2026-11-23 {t}:41,118 fail2ban.actions        [611]: NOTICE  [sshd] Unban 203.0.113.9",
    "2026-11-23 {t}:41,118 - util.py[DEBUG]: Running command ['ip', '-json', 'addr'] with allowed return codes [0]",
    "2026-11-23 {t}:41,118 - modules.py[INFO]: Skipping modules 'ssh_import_id' because no applicable config is "
    "provided.",
    "Nov 23 {t}:41 web1 auditd[{n}]: Audit daemon rotating log files",
    'Nov 23 {t}:41 web1 kernel: [{n}.123456] audit: type=1400 audit(1795403561.118:41): apparmor="STATUS" '
    'operation="profile_load" profile="unconfined" name="usr.sbin.chronyd" pid={n} comm="apparmor_parser"',
    "Nov 23 {t}:41 web1 systemd-udevd[{n}]: Using default interface naming scheme 'v252'.",
    "Nov 23 {t}:41 web1 NetworkManager[{n}]: <info>  [1795403561.1183] dhcp4 (eth0): state changed new lease, "
    "address=10.0.0.7",
    "Nov 23 {t}:41 web1 systemd-networkd[{n}]: eth0: Gained carrier",
    "Nov 23 {t}:41 web1 dhclient[{n}]: DHCPACK of 10.0.0.7 from 10.0.0.1",
    "Nov 23 {t}:41 vpn1 ovpn-server[{n}]: 203.0.113.7:41234 TLS: Initial packet from [AF_INET]203.0.113.7:41234",
    "Nov 23 {t}:41 vpn1 ovpn-server[{n}]: ann/203.0.113.7:41234 Data Channel: cipher 'AES-256-GCM'",
    'ts=2026-11-23T{t}:41.118Z caller=head.go:1298 level=info component=tsdb msg="Head GC completed" duration=12ms',
    'time=2026-11-23T{t}:41.118Z level=WARN source=scrape.go:1884 msg="Error on ingesting out-of-order samples" '
    'component="scrape manager" scrape_pool=node target=http://10.0.0.9:9100/metrics num_dropped=1',
    "Nov 23 {t}:41 web1 app[{n}]: disk usage of /var is 71%, 12345 inodes free",
    "Nov 23 {t}:41 web1 app[{n}]: the last certificate of shop.example is valid for 41 days",
)

ORDINARY = (*WEB, *DATABASES, *QUEUES, *RUNTIMES, *CONTAINERS, *HOST)
