// Prints the first address of a name, asked of one DNS server: node resolve.cjs HOST:PORT NAME
const { Resolver } = require('node:dns/promises');

const [, , server, name] = process.argv;
const resolver = new Resolver();
resolver.setServers([server]);
resolver.resolve4(name).then(([address]) => console.log(address));
