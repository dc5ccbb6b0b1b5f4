insert into customers (id, name, email, country, newsletter, joined) values (25, 'Zofia Lis', 'zofia.lis@example.com', 'PL', 1, '2026-01-05');
insert into orders (customer_id, id, status, total, note, placed_at) values (25, 1001, 'open', 34.90, 'first order', '2026-01-05 10:00:00'), (6, 1004, 'paid', 1240.00, null, '2026-01-05 10:05:00');
update customers set email = 'bruno@silva.example' where id = 2;
update customers set country = 'AT', newsletter = 0 where id = 6;
update products set price = 399.00, labels = 'sale' where id = 6;
update orders set id = 2001 where customer_id = 3 and id = 1004;
delete from orders where customer_id = 1;
delete from orders where customer_id = 4;
delete from products where id = 9;
