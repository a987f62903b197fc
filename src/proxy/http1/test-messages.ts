/**
 * Messages to begin with when readers are fed damaged ones: each well formed, together using all that the readers know.
 */

export const requestMessages: readonly string[] = [
  'GET /path?query=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept:  */* \t\r\n\r\n',
  '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nhost:a:80\r\nCONTENT-LENGTH: 12\r\n\r\nhello, world',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n' +
    '5;x=y;z="1"\r\nhello\r\n0a\r\n, world ! \r\n0\r\nX-Sum: 1\r\nY: 2 \r\n\r\n',
  'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n00\r\n\r\n',
  'GET http://example.com:8080/path HTTP/1.1\r\nHost: other\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: x-secret, , keep-alive\r\nX-Secret: 1\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'PROPFIND /dav HTTP/1.1\r\nHost:\r\nX-Empty:\r\nX-Obs: caf\xe9\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked  \r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HEAD / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Sum\r\nContent-Length: 0\r\n\r\n',
];

export const responseMessages: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello',
  'HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
  'HTTP/1.1 404 Not F\xf6und\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.1 200 OK\r\nX: until the end\r\n\r\nhello',
  'HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\nA: b\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: "x"\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
];
