alter vschema on customers add vindex hash(id);
alter vschema on orders add vindex hash(customer_id);
alter vschema on nopk add vindex hash(a);
alter vschema on strpk add vindex xxhash(k);
alter vschema on alltypes add vindex hash(id);
