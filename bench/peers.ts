/** The configuration of every proxy that is measured beside Ballast, and of the backend. All do the same. */
import { type Listener, rules } from './http-cases.ts';

export type Ports = Readonly<Record<Listener, number>>;

export interface BackendPorts {
  readonly http: number;
  readonly echo: number;
  /** Of the targets that come and go. */
  readonly churn: readonly number[];
}

export const peerConfigurations = { backend, haproxy, nginx, caddy, envoy } as const;

const hosts = [...new Set(rules.map(({ host }) => host))];
const tunedBufferBytes = 256 * 1024;

function backend(folder: string, ports: readonly number[]): string {
  // An upload is answered when all of it is there: it is read whole, and then another location is asked without it.
  return `daemon off; worker_processes 1; pid ${folder}/backend.pid; error_log ${folder}/backend.log;
worker_rlimit_nofile 20000;
events { worker_connections 16384; }
http {
  access_log off; sendfile on; keepalive_requests 1000000000;
  ${temporaryPaths(folder)}
  upstream self { server 127.0.0.1:${ports[0]}; keepalive 64; keepalive_requests 1000000000; }
  server {
    ${ports.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join(' ')}
    location ~ ^/(app\\d/)?small$ { default_type text/plain; return 200 "${'0123456789'.repeat(10)}"; }
    location = /large { root ${folder}; }
    location = /upload {
      client_max_body_size 0; client_body_buffer_size 5m;
      proxy_pass http://self/small; proxy_http_version 1.1; proxy_method GET; proxy_pass_request_body off;
      proxy_set_header Connection ""; proxy_set_header Content-Length "";
    }
  }
}
`;
}

function haproxy(
  ports: Ports,
  backends: BackendPorts,
  { socket, isTuned }: { readonly socket: string; readonly isTuned: boolean },
): string {
  const frontend = (listener: Listener, own: string) => `frontend in-${listener}
  bind 127.0.0.1:${ports[listener]}
  option forwardfor
  unique-id-format Root=1-%Ts-%[uuid()]
  unique-id-header X-Amzn-Trace-Id
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port ${ports[listener]}
${own}
`;
  const uses = rules.map(({ host, prefix }) => `  use_backend out if { hdr(host) -i ${host} } { path_beg ${prefix} }`);
  const targets = backends.churn.map((port, index) => `  server target${index} 127.0.0.1:${port} pool-max-conn 1024`);
  return `global
  nbthread 1
  no strict-limits
  maxconn 16000
  stats socket ${socket} level admin
  ${isTuned ? `tune.bufsize ${tunedBufferBytes}` : ''}
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
${frontend('plain', '  default_backend out')}${frontend('rules', `${uses.join('\n')}\n  default_backend none`)}
${frontend('echo', '  default_backend echo')}${frontend('churn', '  default_backend churn')}
backend none
  http-request return status 404
backend out
  http-reuse always
  server one 127.0.0.1:${backends.http} pool-max-conn 1024
backend echo
  server one 127.0.0.1:${backends.echo}
backend churn
  http-reuse always
${targets.join('\n')}
`;
}

function nginx(
  ports: Ports,
  backends: BackendPorts,
  { folder, targets, isTuned }: { readonly folder: string; readonly targets: string; readonly isTuned: boolean },
): string {
  const pass = (listener: Listener, upstream: string) => `
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_set_header Connection "${listener === 'echo' ? 'upgrade' : ''}";
      ${listener === 'echo' ? 'proxy_set_header Upgrade $http_upgrade;' : ''}
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto http;
      proxy_set_header X-Forwarded-Port ${ports[listener]};
      proxy_set_header X-Amzn-Trace-Id Root=1-$msec-$request_id;
    `;
  const server = (listener: Listener, upstream: string) =>
    `server { listen 127.0.0.1:${ports[listener]} backlog=4096; location / {${pass(listener, upstream)}} }`;
  const servers = hosts.map((host) => {
    const own = rules.filter((rule) => rule.host === host);
    const locations = own.map(({ prefix }) => `location ${prefix} {${pass('rules', 'out')}}`);
    return `server { listen 127.0.0.1:${ports.rules}; server_name ${host}; ${locations.join('\n')} location / { return 404; } }`;
  });
  const buffers = `proxy_buffering off; proxy_buffer_size ${tunedBufferBytes}; proxy_buffers 8 ${tunedBufferBytes};
  proxy_busy_buffers_size ${2 * tunedBufferBytes}; proxy_request_buffering off;
  client_body_buffer_size ${tunedBufferBytes};`;
  return `daemon off; worker_processes 1; pid ${folder}/nginx-${ports.plain}.pid; error_log ${folder}/nginx.log;
worker_rlimit_nofile 20000;
events { worker_connections 18000; }
http {
  access_log off; keepalive_requests 1000000000; client_max_body_size 0;
  ${temporaryPaths(folder)}
  ${isTuned ? buffers : ''}
  upstream out { server 127.0.0.1:${backends.http}; keepalive 1024; keepalive_requests 1000000000; }
  upstream echo { server 127.0.0.1:${backends.echo}; }
  upstream churn { include ${targets}; keepalive 1024; keepalive_requests 1000000000; }
  ${[server('plain', 'out'), server('echo', 'echo'), server('churn', 'churn'), ...servers].join('\n  ')}
}
`;
}

/** The targets of the listener `churn`, in a file of their own. */
export function nginxTargets(ports: Iterable<number>): string {
  return [...ports].map((port) => `server 127.0.0.1:${port};`).join('\n');
}

function caddy(ports: Ports, backends: BackendPorts): string {
  const proxy = (listener: Listener, ...to: readonly number[]) => `reverse_proxy ${to.map(local).join(' ')} {
      header_up X-Forwarded-Port ${ports[listener]}
      header_up X-Amzn-Trace-Id Root=1-{http.request.uuid}
    }`;
  const matchers = rules.map(
    ({ host, prefix }, index) => `@rule${index} {
      host ${host}
      path ${prefix}*
    }
    handle @rule${index} {
      ${proxy('rules', backends.http)}
    }`,
  );
  const site = (listener: Listener, own: string) => `http://:${ports[listener]} {
    bind 127.0.0.1
    ${own}
  }
`;
  return `{
    admin off
    auto_https off
    log {
      level ERROR
    }
  }
  ${site('plain', proxy('plain', backends.http))}${site('echo', proxy('echo', backends.echo))}
  ${site('churn', proxy('churn', ...backends.churn))}
  ${site('rules', `${matchers.join('\n    ')}\n    handle {\n      respond 404\n    }`)}`;
}

/** As JSON, which Envoy reads as well as YAML. */
function envoy(ports: Ports, backends: BackendPorts): string {
  const cluster = (name: string, targets: readonly number[]) => ({
    name,
    type: 'STATIC',
    connect_timeout: '10s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: targets.map((port) => ({ endpoint: { address: socketAddress(port) } })) }],
    },
  });
  const everything = (name: string) => [
    { name, domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: name, timeout: '0s' } }] },
  ];
  const byRules = hosts.map((host) => ({
    name: host,
    domains: [host],
    routes: rules
      .filter((rule) => rule.host === host)
      .map(({ prefix }) => ({ match: { prefix }, route: { cluster: 'out', timeout: '0s' } })),
  }));
  const filters = 'type.googleapis.com/envoy.extensions.filters';
  const listener = (name: Listener, virtualHosts: readonly object[]) => ({
    name,
    address: socketAddress(ports[name]),
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
              stat_prefix: name,
              use_remote_address: true,
              generate_request_id: true,
              upgrade_configs: [{ upgrade_type: 'websocket' }],
              route_config: {
                virtual_hosts: virtualHosts,
                request_headers_to_add: [
                  { header: { key: 'X-Forwarded-Port', value: `${ports[name]}` } },
                  { header: { key: 'X-Amzn-Trace-Id', value: 'Root=1-%REQ(X-REQUEST-ID)%' } },
                ],
              },
              http_filters: [
                {
                  name: 'envoy.filters.http.router',
                  typed_config: { '@type': `${filters}.http.router.v3.Router` },
                },
              ],
            },
          },
        ],
      },
    ],
  });
  const configuration = {
    static_resources: {
      listeners: [
        listener('plain', everything('out')),
        listener('rules', byRules),
        listener('echo', everything('echo')),
        listener('churn', everything('churn')),
      ],
      clusters: [cluster('out', [backends.http]), cluster('echo', [backends.echo]), cluster('churn', backends.churn)],
    },
  };
  return JSON.stringify(configuration, null, 2);
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function local(port: number): string {
  return `127.0.0.1:${port}`;
}

/** Without these nginx wants to write where only root may. */
function temporaryPaths(folder: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
}
