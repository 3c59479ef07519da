"""Pretrained weights behind one `Encoder` contract."""
