// A server that says its name. Prints the port that it was given.
const { createServer } = require('node:http');

const name = process.argv[2];
const server = createServer((_request, response) => response.end(`${name}\n`));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
