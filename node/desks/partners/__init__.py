"""The desk of the companies: campaigns, tills, tickets, coupons and files; the companies' office and its doors."""
