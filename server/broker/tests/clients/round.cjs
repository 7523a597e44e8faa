// One round with amqplib. Says on standard output what it saw; `round.py` must say the same.
const amqp = require("amqplib");

const HEADERS = { number: 2 ** 40, text: "ä", list: [1, "two"], table: { flag: true } };

async function round(url) {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange("round.topic", "topic", { durable: false, autoDelete: true });
  await channel.assertQueue("round", { durable: false, exclusive: true, maxPriority: 3 });
  await channel.bindQueue("round", "round.topic", "a.#");

  const returned = new Promise((resolve) => channel.once("return", resolve));
  const properties = { messageId: "id", headers: HEADERS, persistent: true, mandatory: true };
  channel.publish("round.topic", "a.b", Buffer.from("one"), properties);
  await channel.waitForConfirms();
  console.log("confirmed");
  channel.publish("round.topic", "nowhere", Buffer.from("two"), { mandatory: true });
  const { fields, content } = await returned;
  await channel.waitForConfirms();
  console.log("returned", fields.replyCode, fields.replyText, content.toString());

  await channel.prefetch(1);
  await new Promise((resolve) => {
    const consume = (message) => {
      const { redelivered } = message.fields;
      const same = JSON.stringify(Object.entries(message.properties.headers).sort())
        === JSON.stringify(Object.entries(HEADERS).sort());
      const seen = same ? "same" : JSON.stringify(message.properties.headers);
      const when = redelivered ? "again" : "first";
      console.log(when, message.content.toString(), message.properties.messageId, "headers", seen);
      if (redelivered) {
        channel.ack(message);
        resolve();
      } else {
        channel.nack(message);
      }
    };
    channel.consume("round", consume, { consumerTag: "tag" });
  });
  await channel.cancel("tag");

  const get = () => channel.get("round", { noAck: true });
  const send = (body, options) => channel.sendToQueue("round", Buffer.from(body), options);
  send("x".repeat(300_000));
  console.log("large", (await get()).content.length);
  console.log("empty", (await get()) === false ? "True" : "False");

  for (const priority of [1, 3, 2]) send(String(priority), { priority });
  await channel.waitForConfirms();
  const priorities = [];
  for (let n = 0; n < 3; n += 1) priorities.push((await get()).content.toString());
  console.log("priorities", priorities.join(" "));

  const other = await connection.createChannel();
  const refused = new Promise((resolve) => other.once("error", resolve));
  other.assertQueue("round", { durable: false, exclusive: true }).catch(() => {});
  console.log("refused", (await refused).code);

  const replies = await connection.createChannel();
  const answer = new Promise((resolve) => {
    replies.consume("amq.rabbitmq.reply-to", resolve, { noAck: true });
  });
  replies.sendToQueue("round", Buffer.from("question"), { replyTo: "amq.rabbitmq.reply-to" });
  let asked = await get();
  while (!asked) asked = await get();
  channel.sendToQueue(asked.properties.replyTo, Buffer.from("answer"));
  console.log("answered", (await answer).content.toString());

  const watched = await connection.createChannel();
  let cancelled;
  const gone = new Promise((resolve) => { cancelled = resolve; });
  await watched.consume("round", (message) => message === null && cancelled("watched"), { consumerTag: "watched" });
  await channel.deleteQueue("round");
  console.log("cancelled", await gone);
  await connection.close();
}

round(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
