ALTER TABLE jobs ADD COLUMN wanted_node_id INT
